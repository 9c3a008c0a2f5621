/*
 * How a front end meets its back end: grant, event port, store (../lazarus/pv.h).
 */
#include "front.h"

/** Rings are looked at after every wait: an event says no more than that it is worth while. */
static void nothing(u64 port) { (void)port; }

int front_meet(struct front *front, u64 device, volatile void *ring) {
  front->device = device;
  if (checked("shared_info", events_on()) < 0 || checked("grant_setup", grants_on()) < 0) return -1;
  i64 ref = checked("grant of the ring", grant_allow(PRIVVM_VMID, gpa_of(ring), GRANT_PERMIT));
  i64 port = checked("event_alloc", event_listen(PRIVVM_VMID, nothing));
  if (ref < 0 || port < 0) return -1;
  front->ref = (u64)ref;
  front->port = (u64)port;
  if (checked("store_put", hypercall(CALL_STORE_PUT, PV_KEY(device, PV_REF), ref)) < 0 ||
      checked("store_put", hypercall(CALL_STORE_PUT, PV_KEY(device, PV_PORT), port)) < 0 ||
      checked("store_put", hypercall(CALL_STORE_PUT, PV_KEY(device, PV_READY), 1)) < 0)
    return -1;
  u64 deadline = time_now() + FRONT_PATIENCE, before = interrupts_off();
  volatile u32 *connected = ring;
  while (*connected == 0 && time_now() < deadline) event_wait(time_now() + TIME_PER_MS);
  interrupts_restore(before);
  if (*connected == 0) {
    failed(device == PV_BLOCK ? "no back end for the disk" : "no back end for the network");
    return -1;
  }
  fence();
  return 0;
}

void front_notify(const struct front *front) { checked("event_send", hypercall(CALL_EVENT_SEND, front->port)); }
