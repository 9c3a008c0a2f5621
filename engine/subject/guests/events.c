/*
 * Event channels: a handler per port, called from the external interrupt. Relies on handlers to look at what they serve
 * (rings, counters) and not at how often they are called.
 */
#include "guest.h"

/** A page of its own: the hypervisor may exchange or share whole pages only. */
static union {
  struct shared_info info;
  u8 page[PAGE_BYTES];
} shared_page __attribute__((aligned(PAGE_BYTES)));
#define shared shared_page.info
static int on;
/** Bit per port of ours. */
static u64 ours;
static void (*handlers[EVENT_PORTS])(u64 port);
static volatile u64 counts[EVENT_PORTS];

i64 events_on(void) {
  if (on) return 0;
  i64 result = hypercall(CALL_SHARED_INFO, &shared);
  if (result < 0) return result;
  on = 1;
  csr_set(SIE, 1ul << IRQ_SEI);
  return 0;
}

void event_handle(u64 port, void (*handler)(u64 port)) {
  handlers[port % EVENT_PORTS] = handler;
  ours |= 1ul << port % EVENT_PORTS;
}

void event_forget(u64 port) {
  ours &= ~(1ul << port % EVENT_PORTS);
  handlers[port % EVENT_PORTS] = NULL;
}

static i64 install(i64 port, void (*handler)(u64 port)) {
  if (port >= 0) event_handle((u64)port, handler);
  return port;
}

i64 event_listen(u64 remote_vmid, void (*handler)(u64 port)) {
  return install(hypercall(CALL_EVENT_ALLOC, remote_vmid), handler);
}

i64 event_connect(u64 remote_vmid, u64 remote_port, void (*handler)(u64 port)) {
  return install(hypercall(CALL_EVENT_BIND, remote_vmid, remote_port), handler);
}

u64 event_count(u64 port) { return counts[port % EVENT_PORTS]; }

static u64 raised(void) { return shared.pending & ~shared.mask; }

void events_interrupt(void) {
  for (u64 pending; (pending = raised()) != 0;) {
    __atomic_fetch_and(&shared.pending, ~pending, __ATOMIC_SEQ_CST); /* first: what comes now is pending again */
    for (u64 port = 0; port < EVENT_PORTS; port++) {
      if ((pending >> port & 1) == 0) continue;
      counts[port]++;
      if (handlers[port] != NULL) handlers[port](port);
    }
  }
  /* The line stays up until the hypervisor looks at our pending bits again: it does so in any call. */
  if ((csr_read(SIP) >> IRQ_SEI & 1) != 0 && raised() == 0) hypercall(CALL_EVENT_POLL, 0, 0);
}

void event_wait(u64 deadline) {
  u64 tick = timer_next_tick();
  hypercall(CALL_EVENT_POLL, ours & ~shared.mask, deadline < tick ? deadline : tick);
  interrupts_on();
  interrupts_off();
}
