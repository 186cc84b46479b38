#include "policy/bpf_evaluator.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace caisson::policy {
namespace {

struct Machine {
  uint32_t accumulator = 0;
  uint32_t index = 0;
  std::array<uint32_t, BPF_MEMWORDS> memory{};
};

std::optional<uint32_t> LoadWord(const seccomp_data& data, uint32_t offset) {
  if (offset % sizeof(uint32_t) != 0 || offset > sizeof(data) - sizeof(uint32_t)) {
    return std::nullopt;
  }
  uint32_t word = 0;
  std::array<unsigned char, sizeof(seccomp_data)> bytes{};
  std::memcpy(bytes.data(), &data, sizeof(data));
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

// Loads into the accumulator or the index register, and stores; false: not an instruction that seccomp(2)
// knows.
bool Load(const sock_filter& instruction, const seccomp_data& data, Machine& machine) {
  const bool to_index = BPF_CLASS(instruction.code) == BPF_LDX;
  uint32_t& target = to_index ? machine.index : machine.accumulator;
  switch (BPF_MODE(instruction.code)) {
    case BPF_IMM:
      target = instruction.k;
      return true;
    case BPF_MEM:
      if (instruction.k >= BPF_MEMWORDS) {
        return false;
      }
      target = machine.memory.at(instruction.k);
      return true;
    case BPF_LEN:
      target = sizeof(seccomp_data);
      return true;
    case BPF_ABS: {
      const std::optional<uint32_t> word = to_index ? std::nullopt : LoadWord(data, instruction.k);
      target = word.value_or(0);
      return word.has_value();
    }
    default:
      return false;
  }
}

bool Store(const sock_filter& instruction, Machine& machine) {
  if (instruction.k >= BPF_MEMWORDS) {
    return false;
  }
  machine.memory.at(instruction.k) =
      BPF_CLASS(instruction.code) == BPF_ST ? machine.accumulator : machine.index;
  return true;
}

bool Calculate(const sock_filter& instruction, Machine& machine) {
  const uint32_t operand = BPF_SRC(instruction.code) == BPF_X ? machine.index : instruction.k;
  uint32_t& a = machine.accumulator;
  switch (BPF_OP(instruction.code)) {
    case BPF_ADD:
      a += operand;
      return true;
    case BPF_SUB:
      a -= operand;
      return true;
    case BPF_MUL:
      a *= operand;
      return true;
    case BPF_DIV:
      if (operand == 0) {
        return false;
      }
      a /= operand;
      return true;
    case BPF_OR:
      a |= operand;
      return true;
    case BPF_AND:
      a &= operand;
      return true;
    case BPF_XOR:
      a ^= operand;
      return true;
    case BPF_LSH:
      a = operand < 32 ? a << operand : 0;
      return operand < 32;
    case BPF_RSH:
      a = operand < 32 ? a >> operand : 0;
      return operand < 32;
    case BPF_NEG:
      a = 0U - a;
      return true;
    default:
      return false;
  }
}

// How many instructions to skip.
std::optional<size_t> Jump(const sock_filter& instruction, const Machine& machine) {
  const uint32_t operand = BPF_SRC(instruction.code) == BPF_X ? machine.index : instruction.k;
  bool taken = false;
  switch (BPF_OP(instruction.code)) {
    case BPF_JA:
      return instruction.k;
    case BPF_JEQ:
      taken = machine.accumulator == operand;
      break;
    case BPF_JGT:
      taken = machine.accumulator > operand;
      break;
    case BPF_JGE:
      taken = machine.accumulator >= operand;
      break;
    case BPF_JSET:
      taken = (machine.accumulator & operand) != 0;
      break;
    default:
      return std::nullopt;
  }
  return taken ? instruction.jt : instruction.jf;
}

absl::Status Refused(size_t at) {
  return absl::InvalidArgumentError("evaluate filter: instruction " + std::to_string(at) + " is not valid");
}

}  // namespace

absl::StatusOr<uint32_t> EvaluateFilter(std::span<const sock_filter> program, const seccomp_data& data) {
  Machine machine;
  size_t at = 0;
  while (at < program.size()) {
    const sock_filter& instruction = program[at];
    bool valid = true;
    size_t skipped = 0;
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LD:
      case BPF_LDX:
        valid = Load(instruction, data, machine);
        break;
      case BPF_ST:
      case BPF_STX:
        valid = Store(instruction, machine);
        break;
      case BPF_ALU:
        valid = Calculate(instruction, machine);
        break;
      case BPF_JMP: {
        const std::optional<size_t> jump = Jump(instruction, machine);
        valid = jump.has_value();
        skipped = jump.value_or(0);
        break;
      }
      case BPF_RET:
        return BPF_RVAL(instruction.code) == BPF_A ? machine.accumulator : instruction.k;
      default:  // BPF_MISC
        if (BPF_MISCOP(instruction.code) == BPF_TAX) {
          machine.index = machine.accumulator;
        } else {
          machine.accumulator = machine.index;
        }
        break;
    }
    if (!valid) {
      return Refused(at);
    }
    at += 1 + skipped;
  }
  return absl::InvalidArgumentError("evaluate filter: it runs past its end");
}

}  // namespace caisson::policy
