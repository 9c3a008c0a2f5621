/*
 * The driver of the real disk (Virtual I/O Device 1.2, section 5.2): up to DISK_REQUESTS requests in flight, DMA
 * straight to and from the memory that the caller names by its physical address.
 */
#include "board.h"
#include "privvm.h"

#define CONFIG_CAPACITY 0x100
#define REQUEST_IN 0
#define REQUEST_OUT 1
#define REQUEST_FLUSH 4
#define STATUS_OK 0
#define STATUS_PENDING 0xff

/** In front of and behind a request's data; device-readable and -writable. */
struct disk_header {
  u32 type, reserved;
  u64 sector;
  volatile u8 status;
  u8 pad[15];
};

static u8 queue_page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static struct disk_header headers[PAGE_BYTES / sizeof(struct disk_header)] __attribute__((aligned(PAGE_BYTES)));
static u64 headers_machine;
static struct virtqueue queue;
static u64 base, port, sectors;
/** Tag of the chain with this head. */
static u8 tag_of[QUEUE_ENTRIES];
_Static_assert(DISK_REQUESTS * 3 <= QUEUE_ENTRIES && DISK_REQUESTS <= ARRAY_LENGTH(headers), "room for all");

static void interrupt(u64 unused) {
  (void)unused;
  virtio_acknowledge(base);
  u32 written;
  for (int head; (head = virtqueue_take(&queue, &written)) >= 0;) {
    u64 tag = tag_of[head];
    backend_block_done(tag, headers[tag].status == STATUS_OK);
  }
  backend_block_serve(0); /* there is room again */
  checked("event_eoi", hypercall(CALL_EVENT_EOI, port));
}

void disk_init(void) {
  u64 source;
  base = virtio_find(VIRTIO_BLOCK, &source);
  if (base == 0) return;
  headers_machine = machine_of(headers);
  if (!virtio_begin(base) || headers_machine == 0 || !virtqueue_init(&queue, base, 0, queue_page))
    return failed("the disk refuses its driver");
  i64 bound = checked("event_bind_irq", hypercall(CALL_EVENT_BIND_IRQ, source));
  if (bound < 0) return;
  port = (u64)bound;
  port_serve(port, interrupt, 0);
  virtio_ready(base);
  sectors = (u64)mmio_read32(base + CONFIG_CAPACITY) | (u64)mmio_read32(base + CONFIG_CAPACITY + 4) << 32;
}

u64 disk_sectors(void) { return sectors; }

void disk_submit(u64 tag, u64 operation, u64 sector, u64 machine, u64 bytes) {
  struct disk_header *header = &headers[tag];
  u64 at = headers_machine + tag * sizeof(*header);
  header->type = operation == PV_READ ? REQUEST_IN : operation == PV_WRITE ? REQUEST_OUT : REQUEST_FLUSH;
  header->sector = operation == PV_FLUSH ? 0 : sector;
  header->status = STATUS_PENDING;
  struct span spans[3];
  u64 count = 0;
  spans[count++] = (struct span){at, offsetof(struct disk_header, status), 0};
  if (operation != PV_FLUSH) spans[count++] = (struct span){machine, bytes, operation == PV_READ};
  spans[count++] = (struct span){at + offsetof(struct disk_header, status), 1, 1};
  int head = virtqueue_add(&queue, spans, count);
  if (head < 0) return backend_block_done(tag, 0);
  tag_of[head] = (u8)tag;
  virtqueue_notify(&queue);
}
