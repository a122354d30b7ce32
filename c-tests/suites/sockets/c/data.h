/* Makes the calls of cases.txt that send and receive. */
#ifndef DATA_H
#define DATA_H

#include "step.h"

/* Makes the call on the step's first socket and prints " = " and the answer. Returns 0 if the step
 * is not a call that sends or receives. */
int data_call(int fd, const struct step *step);

#endif
