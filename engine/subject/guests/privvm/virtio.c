/*
 * Virtio over MMIO, version 2 (Virtual I/O Device 1.2, section 4.2), with split virtqueues (2.7). No optional features:
 * no indirect descriptors, no event index. Device addresses are physical, asked from the hypervisor page by page, so
 * each queue lies in one page.
 */
#include "board.h"
#include "privvm.h"

#define SLOT_BASE 0x10001000ul
#define SLOT_BYTES 0x1000ul

#define REG_MAGIC 0x000
#define REG_VERSION 0x004
#define REG_DEVICE_ID 0x008
#define REG_DEVICE_FEATURES 0x010
#define REG_DEVICE_FEATURES_SEL 0x014
#define REG_DRIVER_FEATURES 0x020
#define REG_DRIVER_FEATURES_SEL 0x024
#define REG_QUEUE_SEL 0x030
#define REG_QUEUE_NUM_MAX 0x034
#define REG_QUEUE_NUM 0x038
#define REG_QUEUE_READY 0x044
#define REG_QUEUE_NOTIFY 0x050
#define REG_INTERRUPT_STATUS 0x060
#define REG_INTERRUPT_ACK 0x064
#define REG_STATUS 0x070
#define REG_QUEUE_DESC 0x080
#define REG_QUEUE_DRIVER 0x090
#define REG_QUEUE_DEVICE 0x0a0
#define MAGIC 0x74726976

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
/** Feature 32, VIRTIO_F_VERSION_1, in the high word. */
#define FEATURES_HIGH 1

#define DESC_NEXT 1
#define DESC_WRITE 2
/* Within the page of a queue; available and used begin with u16 flags and u16 index. */
#define AVAILABLE_AT 1024
#define USED_AT 2048
_Static_assert(QUEUE_ENTRIES * sizeof(struct virtio_descriptor) <= AVAILABLE_AT, "descriptors");
_Static_assert(AVAILABLE_AT + 6 + 2 * QUEUE_ENTRIES <= USED_AT && USED_AT + 6 + 8 * QUEUE_ENTRIES <= PAGE_BYTES, "rings");

u64 virtio_find(u32 device, u64 *source) {
  for (u64 slot = 0; slot < VIRTIO_SLOTS; slot++) {
    u64 base = SLOT_BASE + slot * SLOT_BYTES;
    if (mmio_read32(base + REG_MAGIC) != MAGIC || mmio_read32(base + REG_VERSION) != 2) continue;
    if (mmio_read32(base + REG_DEVICE_ID) != device) continue;
    *source = slot + 1;
    return base;
  }
  return 0;
}

int virtio_begin(u64 base) {
  mmio_write32(base + REG_STATUS, 0);
  mmio_write32(base + REG_STATUS, STATUS_ACKNOWLEDGE);
  mmio_write32(base + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
  mmio_write32(base + REG_DEVICE_FEATURES_SEL, 1);
  if ((mmio_read32(base + REG_DEVICE_FEATURES) & FEATURES_HIGH) == 0) return 0;
  mmio_write32(base + REG_DRIVER_FEATURES_SEL, 0);
  mmio_write32(base + REG_DRIVER_FEATURES, 0);
  mmio_write32(base + REG_DRIVER_FEATURES_SEL, 1);
  mmio_write32(base + REG_DRIVER_FEATURES, FEATURES_HIGH);
  mmio_write32(base + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
  return (mmio_read32(base + REG_STATUS) & STATUS_FEATURES_OK) != 0;
}

static void write_address(u64 reg, u64 machine) {
  mmio_write32(reg, (u32)machine);
  mmio_write32(reg + 4, (u32)(machine >> 32));
}

int virtqueue_init(struct virtqueue *queue, u64 base, u32 index, u8 *page) {
  u64 machine = machine_of(page);
  mmio_write32(base + REG_QUEUE_SEL, index);
  if (machine == 0 || mmio_read32(base + REG_QUEUE_NUM_MAX) < QUEUE_ENTRIES) return 0;
  *queue = (struct virtqueue){.base = base, .index = index, .free_count = QUEUE_ENTRIES};
  queue->descriptors = (volatile struct virtio_descriptor *)page;
  queue->available = (volatile u16 *)(page + AVAILABLE_AT);
  queue->used = (volatile u16 *)(page + USED_AT);
  for (u16 n = 0; n < QUEUE_ENTRIES; n++) queue->descriptors[n].next = n + 1;
  mmio_write32(base + REG_QUEUE_NUM, QUEUE_ENTRIES);
  write_address(base + REG_QUEUE_DESC, machine);
  write_address(base + REG_QUEUE_DRIVER, machine + AVAILABLE_AT);
  write_address(base + REG_QUEUE_DEVICE, machine + USED_AT);
  mmio_write32(base + REG_QUEUE_READY, 1);
  return 1;
}

void virtio_ready(u64 base) {
  mmio_write32(base + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

int virtqueue_add(struct virtqueue *queue, const struct span *spans, u64 count) {
  if (count == 0 || queue->free_count < count) return -1;
  u16 head = queue->free_head, at = head;
  for (u64 n = 0; n < count; n++) {
    volatile struct virtio_descriptor *descriptor = &queue->descriptors[at];
    descriptor->machine = spans[n].machine;
    descriptor->bytes = (u32)spans[n].bytes;
    descriptor->flags = (u16)((spans[n].in ? DESC_WRITE : 0) | (n + 1 < count ? DESC_NEXT : 0));
    at = descriptor->next;
  }
  queue->free_head = at;
  queue->free_count -= (u16)count;
  queue->available[2 + queue->available_made % QUEUE_ENTRIES] = head;
  fence();
  queue->available[1] = ++queue->available_made;
  return head;
}

void virtqueue_notify(struct virtqueue *queue) {
  fence_io();
  mmio_write32(queue->base + REG_QUEUE_NOTIFY, queue->index);
}

int virtqueue_take(struct virtqueue *queue, u32 *written) {
  if (queue->used[1] == queue->used_seen) return -1;
  fence();
  const volatile u32 *entry = (const volatile u32 *)(queue->used + 2) + 2 * (queue->used_seen++ % QUEUE_ENTRIES);
  u16 head = (u16)entry[0] % QUEUE_ENTRIES, last = head;
  *written = entry[1];
  queue->free_count++;
  for (; (queue->descriptors[last].flags & DESC_NEXT) != 0; queue->free_count++) last = queue->descriptors[last].next;
  queue->descriptors[last].next = queue->free_head;
  queue->free_head = head;
  return head;
}

void virtio_acknowledge(u64 base) {
  mmio_write32(base + REG_INTERRUPT_ACK, mmio_read32(base + REG_INTERRUPT_STATUS));
  fence_io();
}

u64 machine_of(const void *own) {
  u64 page = (u64)own & ~(PAGE_BYTES - 1);
  i64 machine = checked("memory_machine", hypercall(CALL_MEMORY_MACHINE, page));
  return machine <= 0 ? 0 : (u64)machine + ((u64)own - page);
}
