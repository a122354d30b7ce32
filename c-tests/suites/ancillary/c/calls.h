/* Runs the cases of cases.txt. */
#ifndef CALLS_H
#define CALLS_H

/* Makes the calls of a line, and prints them. */
void run_calls(const char *text);

#endif
