/*
 * What all back ends know of a front end: how to find it in the AppVM's store, its ring page and its event port.
 */
#include "privvm.h"

/** Keys are as pv.h says; what is missing is not there yet. */
static i64 peek(const struct front *front, u64 device, u64 what) {
  return hypercall(CALL_STORE_PEEK, front->vmid, PV_KEY(device, what));
}

int front_search(struct front *front, u64 device, void (*serve)(u64 argument)) {
  i64 ready = peek(front, device, PV_READY);
  if (ready == CALL_NOT_FOUND || ready == 0) return 0;
  i64 ref = ready < 0 ? ready : peek(front, device, PV_REF), remote = ref < 0 ? ref : peek(front, device, PV_PORT);
  if (remote < 0) {
    front_failed(front, "what it offers cannot be read", remote);
    return 0;
  }
  u64 gpa = window_gpa(WINDOW_RINGS + 4 * front->index + device);
  i64 handle = hypercall(CALL_GRANT_MAP, front->vmid, ref, gpa, 0);
  if (handle < 0) {
    front_failed(front, "its ring cannot be mapped", handle);
    return 0;
  }
  front->handle = (u64)handle;
  i64 port = hypercall(CALL_EVENT_BIND, front->vmid, remote);
  if (port < 0) {
    checked("grant_unmap", hypercall(CALL_GRANT_UNMAP, front->handle));
    front_failed(front, "its event port cannot be bound", port);
    return 0;
  }
  front->ring = (void *)gpa;
  front->port = (u64)port;
  front->state = FRONT_CONNECTED;
  port_serve(front->port, serve, front->index);
  return 1;
}

void front_close(struct front *front) {
  if (front->state == FRONT_CONNECTED) {
    port_close(front->port);
    checked("grant_unmap", hypercall(CALL_GRANT_UNMAP, front->handle));
  }
  front->state = FRONT_ABSENT;
}

void front_failed(struct front *front, const char *what, i64 result) {
  if (vm_runs(front->index)) {
    if (is_refusal(result)) print_line("vm%d is disconnected: %s", front->vmid, what);
    else checked(what, result);
  }
  front_close(front);
}

void front_notify(struct front *front) {
  i64 result = hypercall(CALL_EVENT_SEND, front->port);
  if (result < 0) front_failed(front, "its event port is gone", result);
}
