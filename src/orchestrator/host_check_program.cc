#include "orchestrator/host_check_program.h"

#include <elf.h>

#include <cstring>
#include <span>

// NOLINTBEGIN(hicpp-no-assembler, readability-identifier-naming)
asm(R"(
  .pushsection .rodata, "a", @progbits
caisson_check_ends:
  xorl %edi, %edi
  movl $231, %eax            # exit_group
  syscall
caisson_check_ends_end:

caisson_check_looks:
  movl $110, %eax            # getppid
  syscall
  movl $1, %edi              # kCallNotRefused
  cmpl $-1, %eax             # EPERM
  jne 2f
  movl $3, %edi
1:
  movl $1, %esi              # F_GETFD
  movl $72, %eax             # fcntl
  syscall
  testl %eax, %eax
  jns 2f
  incl %edi
  cmpl $256, %edi
  jne 1b
  xorl %edi, %edi
2:
  movl $231, %eax            # exit_group
  syscall
caisson_check_looks_end:
  .popsection
)");

extern "C" {
extern const std::byte caisson_check_ends[] __attribute__((visibility("hidden")));
extern const std::byte caisson_check_ends_end[] __attribute__((visibility("hidden")));
extern const std::byte caisson_check_looks[] __attribute__((visibility("hidden")));
extern const std::byte caisson_check_looks_end[] __attribute__((visibility("hidden")));
}
// NOLINTEND(hicpp-no-assembler, readability-identifier-naming)

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kAddress = 0x400000;
constexpr uint64_t kPageBytes = 4096;

// One segment, read and executed, that holds the headers and the code.
std::vector<std::byte> MakeElf(std::span<const std::byte> code) {
  constexpr size_t kHeaderBytes = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = kAddress + kHeaderBytes;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = kAddress;
  segment.p_filesz = kHeaderBytes + code.size();
  segment.p_memsz = segment.p_filesz;
  segment.p_align = kPageBytes;
  std::vector<std::byte> file(kHeaderBytes + code.size());
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, &segment, sizeof segment);
  std::memcpy(file.data() + kHeaderBytes, code.data(), code.size());
  return file;
}

}  // namespace

std::vector<std::byte> ProgramThatEnds() { return MakeElf({caisson_check_ends, caisson_check_ends_end}); }

std::vector<std::byte> ProgramThatLooksAround() {
  return MakeElf({caisson_check_looks, caisson_check_looks_end});
}

}  // namespace caisson::orchestrator
