#include "policy/bpf_evaluator.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace caisson::policy {
namespace {

using Program = std::vector<sock_filter>;

sock_filter Op(int code, uint32_t k, uint8_t jt = 0, uint8_t jf = 0) {
  return {static_cast<uint16_t>(code), jt, jf, k};
}

seccomp_data Data() {
  seccomp_data data{};
  data.nr = 41;
  data.arch = 0xc000003e;
  data.args[1] = 0x1122334455667788;
  return data;
}

uint32_t Evaluate(const Program& program) {
  const auto result = EvaluateFilter(program, Data());
  EXPECT_TRUE(result.ok());
  return result.value_or(0);
}

TEST(BpfEvaluatorTest, LoadsFieldsAndBothHalvesOfArguments) {
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_W | BPF_ABS, 0), Op(BPF_RET | BPF_A, 0)}), 41U);
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_W | BPF_ABS, 4), Op(BPF_RET | BPF_A, 0)}), 0xc000003eU);
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_W | BPF_ABS, 24), Op(BPF_RET | BPF_A, 0)}), 0x55667788U);
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_W | BPF_ABS, 28), Op(BPF_RET | BPF_A, 0)}), 0x11223344U);
}

TEST(BpfEvaluatorTest, JumpsBothWays) {
  for (const auto& [code, k, expected] : std::vector<std::tuple<int, uint32_t, uint32_t>>{{BPF_JEQ, 41, 1},
                                                                                          {BPF_JEQ, 40, 2},
                                                                                          {BPF_JGT, 41, 2},
                                                                                          {BPF_JGT, 40, 1},
                                                                                          {BPF_JGE, 41, 1},
                                                                                          {BPF_JGE, 42, 2},
                                                                                          {BPF_JSET, 8, 1},
                                                                                          {BPF_JSET, 2, 2}}) {
    const Program program = {Op(BPF_LD | BPF_W | BPF_ABS, 0), Op(BPF_JMP | BPF_K | code, k, 0, 1),
                             Op(BPF_RET | BPF_K, 1), Op(BPF_RET | BPF_K, 2)};
    EXPECT_EQ(Evaluate(program), expected) << code << " " << k;
  }
  EXPECT_EQ(Evaluate({Op(BPF_JMP | BPF_JA, 1), Op(BPF_RET | BPF_K, 1), Op(BPF_RET | BPF_K, 2)}), 2U);
}

TEST(BpfEvaluatorTest, CalculatesAndRemembers) {
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_W | BPF_ABS, 0), Op(BPF_ALU | BPF_AND | BPF_K, 0x0f),
                      Op(BPF_RET | BPF_A, 0)}),
            9U);
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_IMM, 5), Op(BPF_ST, 3), Op(BPF_LD | BPF_IMM, 7),
                      Op(BPF_LDX | BPF_MEM, 3), Op(BPF_ALU | BPF_ADD | BPF_X, 0), Op(BPF_RET | BPF_A, 0)}),
            12U);
  EXPECT_EQ(Evaluate({Op(BPF_LD | BPF_IMM, 5), Op(BPF_MISC | BPF_TAX, 0), Op(BPF_LD | BPF_IMM, 0),
                      Op(BPF_MISC | BPF_TXA, 0), Op(BPF_RET | BPF_A, 0)}),
            5U);
}

TEST(BpfEvaluatorTest, RefusesWhatTheKernelWouldRefuse) {
  EXPECT_FALSE(EvaluateFilter(Program{}, Data()).ok());
  EXPECT_FALSE(EvaluateFilter(Program{Op(BPF_LD | BPF_W | BPF_ABS, 0)}, Data()).ok());
  EXPECT_FALSE(
      EvaluateFilter(Program{Op(BPF_LD | BPF_W | BPF_ABS, 64), Op(BPF_RET | BPF_K, 0)}, Data()).ok());
  EXPECT_FALSE(EvaluateFilter(Program{Op(BPF_LD | BPF_W | BPF_ABS, 2), Op(BPF_RET | BPF_K, 0)}, Data()).ok());
  EXPECT_FALSE(
      EvaluateFilter(Program{Op(BPF_JMP | BPF_JA, 0xffffffff), Op(BPF_RET | BPF_K, 0)}, Data()).ok());
  EXPECT_FALSE(EvaluateFilter(Program{Op(BPF_ST, 16), Op(BPF_RET | BPF_K, 0)}, Data()).ok());
  EXPECT_FALSE(
      EvaluateFilter(Program{Op(BPF_ALU | BPF_DIV | BPF_K, 0), Op(BPF_RET | BPF_K, 0)}, Data()).ok());
}

}  // namespace
}  // namespace caisson::policy
