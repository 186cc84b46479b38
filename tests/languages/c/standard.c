// Which standard the profile compiles for. The number of one that is not finished differs between compilers.
#include <stdio.h>

int main(void) {
  puts(__STDC_VERSION__ > 201710L    ? "after C17"
       : __STDC_VERSION__ == 201710L ? "C17"
       : __STDC_VERSION__ == 201112L ? "C11"
                                     : "older");
}
