/* Functions for child processes, for other users, and for printing ids in words. process.rs does
 * the same for the Rust lanes. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* A process that drops its privileges becomes this user and group, without supplementary groups. */
#define UNPRIVILEGED 65534

/* Remembers the ids that are printed as "self". The program calls this function before the first
 * case. */
void process_begin(void);

/* Returns whether the program's arguments name this case: "I01.one" does, and so does "I01". No
 * argument names every case. */
int process_wants(int argc, char **argv, const char *id);

/* Calls fork(2), after a flush of everything that was printed so far. Ends the program on
 * failure. */
pid_t process_fork(void);

/* Ends a child with this exit status after a flush of its output. */
_Noreturn void process_end(int number);

/* Waits for a child. Returns its exit status, or, if a signal ended it, the negative signal number.
 * */
int process_wait(pid_t child);

/* Waits for a child, and fails if its exit status is not 0. */
void process_join(pid_t child);

/* Waits for a child, and prints the result: " = ok" for 0, " = EPIPE" for that errno, " = killed by
 * SIGPIPE". */
void process_wait_and_print(pid_t child);

/* Sets these supplementary groups and no others. Returns -1 with errno on failure. */
int process_take_groups(size_t count, const gid_t *groups);

/* Drops all privileges permanently. Ends the program if that is not allowed. */
void process_drop(void);

/* Drops the privileges temporarily: the effective user changes, and the real one stays. */
void process_lower(void);

/* Returns whether this process may drop its privileges: 1 or 0. */
int process_may_drop(void);

/* A gate at which one process waits until another opens it. */
void gate_make(int ret_gate[2]);
void gate_open(const int gate[2]);
void gate_wait(const int gate[2]);

/* process_interrupt sends SIGALRM to this process repeatedly for a while, and
 * process_is_interrupted returns whether the signals still come. */
void process_interrupt(void);
int process_is_interrupted(void);

/* Prints the ids as the calling process sees them, as "pid child, uid self, gid 65534". "self" is
 * the uid or gid that this program began with. "child" is the child that was forked last. */
void ids_print(pid_t pid, uid_t uid, gid_t gid);
void user_print(uid_t uid);

/* From here on no id is printed as "self", because in a user namespace the id of an unmapped user
 * is 65534, and the program may have begun with that id. */
void process_forget_own_ids(void);

/* Prints what failed, and ends the program. */
_Noreturn void die(const char *what);

#endif
