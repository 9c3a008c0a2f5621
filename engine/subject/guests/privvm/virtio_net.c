/*
 * The driver of the real network device (Virtual I/O Device 1.2, section 5.1): one queue pair, no offloads, buffers of
 * half a page that it keeps for ever.
 */
#include "board.h"
#include "privvm.h"

#define RECEIVE 0
#define TRANSMIT 1
#define BUFFERS 16
#define BUFFER_BYTES 2048ul
/** struct virtio_net_hdr with num_buffers; all zero: nothing offloaded. */
#define HEADER_BYTES 12ul

static u8 queue_pages[2][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static u8 buffers[2][BUFFERS][BUFFER_BYTES] __attribute__((aligned(PAGE_BYTES)));
static u64 machines[2][BUFFERS];
static struct virtqueue queues[2];
/** Buffer of the chain with this head. */
static u8 buffer_of[2][QUEUE_ENTRIES];
/** Transmit buffers that the device does not have. */
static u8 idle[BUFFERS];
static u64 idle_count;
static u64 base, port;

static void offer(u32 direction, u8 buffer, u64 bytes) {
  struct span span = {machines[direction][buffer], bytes, direction == RECEIVE};
  int head = virtqueue_add(&queues[direction], &span, 1);
  if (head >= 0) buffer_of[direction][head] = buffer;
}

/** At most one round of buffers before the switch delivers: it reads them until then. */
static u64 receive_round(void) {
  u8 seen[BUFFERS];
  u64 count = 0;
  u32 written;
  for (int head; count < BUFFERS && (head = virtqueue_take(&queues[RECEIVE], &written)) >= 0;) {
    u8 buffer = buffer_of[RECEIVE][head];
    seen[count++] = buffer;
    if (written >= HEADER_BYTES + FRAME_MIN && written <= HEADER_BYTES + FRAME_MAX)
      backend_net_from_nic(buffers[RECEIVE][buffer] + HEADER_BYTES, written - HEADER_BYTES);
  }
  if (count == 0) return 0;
  backend_net_flush();
  for (u64 n = 0; n < count; n++) offer(RECEIVE, seen[n], BUFFER_BYTES);
  virtqueue_notify(&queues[RECEIVE]);
  return count;
}

static void interrupt(u64 unused) {
  (void)unused;
  virtio_acknowledge(base);
  u32 written;
  for (int head; (head = virtqueue_take(&queues[TRANSMIT], &written)) >= 0;)
    idle[idle_count++] = buffer_of[TRANSMIT][head];
  while (receive_round() != 0) {
  }
  checked("event_eoi", hypercall(CALL_EVENT_EOI, port));
}

void nic_init(void) {
  u64 source, found = virtio_find(VIRTIO_NET, &source);
  if (found == 0) return;
  int fine = virtio_begin(found);
  for (u32 direction = 0; direction < 2 && fine; direction++) {
    fine = virtqueue_init(&queues[direction], found, direction, queue_pages[direction]);
    for (u64 n = 0; n < BUFFERS && fine; n++)
      fine = (machines[direction][n] = machine_of(buffers[direction][n])) != 0;
  }
  if (!fine) return failed("the network device refuses its driver");
  i64 bound = checked("event_bind_irq", hypercall(CALL_EVENT_BIND_IRQ, source));
  if (bound < 0) return;
  base = found;
  port = (u64)bound;
  port_serve(port, interrupt, 0);
  for (u8 n = 0; n < BUFFERS; n++) {
    offer(RECEIVE, n, BUFFER_BYTES);
    idle[idle_count++] = n;
  }
  virtio_ready(base);
  virtqueue_notify(&queues[RECEIVE]);
}

void nic_send(const u8 *frame, u64 bytes) {
  if (base == 0 || idle_count == 0) return;
  u8 buffer = idle[--idle_count];
  memcpy(buffers[TRANSMIT][buffer] + HEADER_BYTES, frame, bytes);
  offer(TRANSMIT, buffer, HEADER_BYTES + bytes);
  virtqueue_notify(&queues[TRANSMIT]);
}
