/* SYS-31: files that execve has to make sense of. */
#include <elf.h>
#include <stddef.h>

#include "payload.h"

static void write_file(const char* path, const void* bytes, size_t size) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
  if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) _exit(98);
  close(fd);
}

static void run(const char* name, const char* path) {
  pid_t child = fork();
  if (child == 0) {
    execl(path, path, (char*)NULL);
    say(name, "%s", strerrorname_np(errno));
    _exit(0);
  }
  say_end(name, child);
}

/* Machine code: exit(0) through int 0x80. */
static const unsigned char kExit[] = {0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80};

static void elf32(const char* path, uint16_t machine) {
  struct {
    Elf32_Ehdr header;
    Elf32_Phdr program;
    unsigned char code[sizeof kExit];
  } file;
  memset(&file, 0, sizeof file);
  memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS32;
  file.header.e_ident[EI_DATA] = ELFDATA2LSB;
  file.header.e_ident[EI_VERSION] = EV_CURRENT;
  file.header.e_type = ET_EXEC;
  file.header.e_machine = machine;
  file.header.e_version = EV_CURRENT;
  file.header.e_ehsize = sizeof file.header;
  file.header.e_phentsize = sizeof file.program;
  file.header.e_phnum = 1;
  file.header.e_phoff = sizeof file.header;
  file.header.e_entry = 0x10000 + sizeof file.header + sizeof file.program;
  file.program = (Elf32_Phdr){PT_LOAD, 0, 0x10000, 0x10000, sizeof file, sizeof file, PF_R | PF_X, 0x1000};
  memcpy(file.code, kExit, sizeof kExit);
  write_file(path, &file, sizeof file);
}

struct own_file {
  Elf64_Ehdr header;
  Elf64_Phdr programs[2];
  char interpreter[16];
};

static void own_interpreter(const char* path) {
  struct own_file file;
  memset(&file, 0, sizeof file);
  memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS64;
  file.header.e_ident[EI_DATA] = ELFDATA2LSB;
  file.header.e_ident[EI_VERSION] = EV_CURRENT;
  file.header.e_type = ET_EXEC;
  file.header.e_machine = EM_X86_64;
  file.header.e_version = EV_CURRENT;
  file.header.e_ehsize = sizeof file.header;
  file.header.e_phentsize = sizeof *file.programs;
  file.header.e_phnum = 2;
  file.header.e_phoff = sizeof file.header;
  file.header.e_entry = 0x400000;
  strcpy(file.interpreter, "/proc/self/exe");
  file.programs[0] = (Elf64_Phdr){PT_INTERP, PF_R, offsetof(struct own_file, interpreter), 0, 0, 15, 15, 1};
  file.programs[1] =
      (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x400000, sizeof file, sizeof file, 0x1000};
  write_file(path, &file, sizeof file);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "again") == 0) {
    say("fd_exec", "ok");
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "elf32") == 0) {
    elf32("/box/elf32", EM_386);
    run("elf32", "/box/elf32");
    return 0;
  }
  elf32("/box/elf_x32", EM_X86_64);
  run("elf_x32", "/box/elf_x32");
  char shebang[4096];
  memset(shebang, 'a', sizeof shebang);
  memcpy(shebang, "#!/", 3);
  write_file("/box/shebang", shebang, sizeof shebang);
  run("shebang", "/box/shebang");
  own_interpreter("/box/own");
  run("own_interpreter", "/box/own");
  for (int i = 0; i < 8; ++i) {
    char path[32], text[32];
    snprintf(path, sizeof path, "/box/chain%d", i);
    snprintf(text, sizeof text, "#!/box/chain%d\n", i + 1);
    write_file(path, text, strlen(text));
  }
  run("chain", "/box/chain0");
  write_file("/box/empty", "", 0);
  run("empty", "/box/empty");
  run("directory", "/usr");
  write_file("/box/header", "\177ELF", 4);
  run("header_only", "/box/header");
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", open(argv[0], O_RDONLY));
  pid_t child = fork();
  if (child == 0) {
    execl(path, path, "again", (char*)NULL);
    say("fd_exec", "%s", strerrorname_np(errno));
    _exit(0);
  }
  say_end("fd_exec", child);
  return 0;
}
