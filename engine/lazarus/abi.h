/*
 * The hypercall ABI between Lazarus and its guests: `ecall` from VS-mode, function in a7, arguments in a0-a2, result
 * in a0 (negative: error).
 */
#ifndef ABI_H
#define ABI_H

/** console_write(gpa, bytes): prints whole lines, each behind the VM's name; at most CALL_TEXT_BYTES. */
#define CALL_CONSOLE_WRITE 0
/** console_read(): a byte typed at the console, or -1. VM 1 owns the console's input. */
#define CALL_CONSOLE_READ 1
#define CALL_YIELD 2
#define CALL_GET_VMID 3
/** report_progress(n) */
#define CALL_REPORT_PROGRESS 4
/** shutdown(status): 0 = success. Does not return. */
#define CALL_SHUTDOWN 5
/** store_put(key, value): 0. Keys are the VM's own. */
#define CALL_STORE_PUT 6
/** store_get(key): the value; CALL_NOT_FOUND when there is none. */
#define CALL_STORE_GET 7
/** store_add(key, n): adds to the value (0 when there is none) and returns the sum. Not idempotent. */
#define CALL_STORE_ADD 8

#define CALL_NOT_FOUND (-2l)
#define CALL_BAD_ARGUMENT (-3l)
#define CALL_NO_MEMORY (-4l)
#define CALL_UNKNOWN (-7l)

#define CALL_TEXT_BYTES 256

/* A guest starts at its ELF entry in VS-mode, paging off, with a0 = vCPU number and a1 = gpa of its command line. */

#endif
