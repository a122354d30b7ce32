/*
 * Runs a program as if the kernel had only the system calls and socket options of Linux 3.17:
 *
 *     old_kernel PROGRAM [ARGUMENT]...
 *
 * Newer system calls fail with ENOSYS, and newer socket options with ENOPROTOOPT, as on a kernel
 * that does not have them. On x86_64 a newer call or option has a greater number.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_CALL SYS_kexec_file_load
#define LAST_OPTION SO_BPF_EXTENSIONS

#define LOAD(field) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* yes is how many statements to skip if the condition holds, and no is how many otherwise. */
#define IF_MORE(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, yes, no)
#define IF_IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

int main(int argc, char **argv)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        IF_MORE(LAST_CALL, 7, 0),
        IF_IS(SYS_setsockopt, 1, 0),
        IF_IS(SYS_getsockopt, 0, 4),
        LOAD(args[1]), /* level */
        IF_IS(SOL_SOCKET, 0, 2),
        LOAD(args[2]), /* option */
        IF_MORE(LAST_OPTION, 2, 0),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        RETURN(SECCOMP_RET_ERRNO | ENOPROTOOPT),
    };
    struct sock_fprog program = {
        .len = sizeof filter / sizeof *filter,
        .filter = filter,
    };

    if (argc < 2) {
        fprintf(stderr, "usage: old_kernel PROGRAM [ARGUMENT]...\n");
        return 125;
    }
    /* PR_SET_NO_NEW_PRIVS is set only if the filter is refused without it, because it would keep tests
     * from changing their privileges. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1 &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1)) {
        perror("seccomp");
        return 125;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
