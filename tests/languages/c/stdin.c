#include <stdio.h>
#include <string.h>

int main(void) {
  char title[64];
  long sum = 0, number;
  int count = 0;
  if (fgets(title, sizeof title, stdin) == NULL) {
    return 1;
  }
  title[strcspn(title, "\n")] = '\0';
  while (scanf("%ld", &number) == 1) {
    sum += number;
    ++count;
  }
  printf("%s: %d numbers, sum %ld\n", title, count, sum);
  return 0;
}
