/* The linked caisson-init, byte for byte. CAISSON_INIT_PATH comes from the build. */
  .section .rodata
  .balign 16
  .globl caisson_init_image_begin
  .globl caisson_init_image_end
caisson_init_image_begin:
  .incbin CAISSON_INIT_PATH
caisson_init_image_end:
  .byte 0
  .section .note.GNU-stack, "", @progbits
