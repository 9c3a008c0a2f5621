/*
 * Guest `hostile`: breaks the rules of the split devices, one after the other. The back ends must refuse each, and go
 * on serving what is right; at last its rings' counters make no sense, and it must be disconnected.
 * What it prints is always the same. Relies on the PrivVM to time nothing out.
 */
#include "front.h"

#define DEADLINE_MS 200
#define BAD_REF (GRANT_ENTRIES - 1)

static volatile struct pv_block_ring *disk;
static volatile struct pv_net_ring *net;
static struct front disk_front, net_front;
static u64 wrong;

/** Makes one request and waits for its answer: its status; -1 when there is none. */
static i64 ask(u64 operation, u64 sector, u64 sectors, u64 ref) {
  u32 made = disk->requests_made, answered = disk->responses_made;
  volatile struct pv_block_request *request = &disk->requests[made % PV_SLOTS];
  request->id = made;
  request->operation = operation;
  request->sector = sector;
  request->sectors = sectors;
  request->ref = ref;
  fence();
  disk->requests_made = made + 1;
  front_notify(&disk_front);
  u64 deadline = time_now() + DEADLINE_MS * TIME_PER_MS, before = interrupts_off();
  while (disk->responses_made == answered && time_now() < deadline) event_wait(deadline);
  interrupts_restore(before);
  if (disk->responses_made != answered + 1) return -1;
  fence();
  const volatile struct pv_response *response = &disk->responses[answered % PV_SLOTS];
  return response->id == made ? (i64)response->status : -1;
}

static void expect(const char *what, i64 found, i64 expected) {
  if (found != expected) wrong++;
  print_line("%s: %s", what, found == expected ? "as it should be" : "WRONG");
}

static void break_disk(void) {
  u64 *page = page_alloc();
  u64 end = disk->disk_sectors;
  i64 writable = grant_allow(PRIVVM_VMID, gpa_of(page), GRANT_PERMIT);
  i64 readable = grant_allow(PRIVVM_VMID, gpa_of(page), GRANT_PERMIT | GRANT_READONLY);
  i64 nowhere = grant_allow(PRIVVM_VMID, 0x40000000, GRANT_PERMIT);
  i64 others = grant_allow(PRIVVM_VMID + 7, gpa_of(page), GRANT_PERMIT);
  if (writable < 0 || readable < 0 || nowhere < 0 || others < 0) return failed("no grants");
  expect("read behind the end", ask(PV_READ, end, 1, (u64)writable), PV_ERROR);
  expect("write across the end", ask(PV_WRITE, end - 4, 8, (u64)readable), PV_ERROR);
  expect("sector beyond all numbers", ask(PV_WRITE, ~0ul - 3, 8, (u64)readable), PV_ERROR);
  expect("more than a page", ask(PV_READ, 0, 9, (u64)writable), PV_ERROR);
  expect("nothing at all", ask(PV_READ, 0, 0, (u64)writable), PV_ERROR);
  expect("unknown operation", ask(77, 0, 1, (u64)writable), PV_ERROR);
  expect("reference beyond the table", ask(PV_READ, 0, 1, 1ul << 40), PV_ERROR);
  expect("reference without grant", ask(PV_READ, 0, 1, BAD_REF), PV_ERROR);
  expect("grant for another VM", ask(PV_READ, 0, 1, (u64)others), PV_ERROR);
  expect("grant of no memory", ask(PV_READ, 0, 1, (u64)nowhere), PV_ERROR);
  expect("read into a read-only page", ask(PV_READ, 0, 1, (u64)readable), PV_ERROR);
  page[0] = 0x1122334455667788;
  expect("right write", ask(PV_WRITE, 0, 8, (u64)readable), PV_OK);
  page[0] = 0;
  expect("right read", ask(PV_READ, 0, 8, (u64)writable), PV_OK);
  expect("what was read", (i64)page[0], 0x1122334455667788);
  expect("flush", ask(PV_FLUSH, 0, 0, 0), PV_OK);
}

/** Sends one packet; 1 when the back end has taken it. */
static i64 send(u64 ref, u64 bytes) {
  u32 made = net->tx_made;
  net->tx[made % PV_SLOTS].ref = ref;
  net->tx[made % PV_SLOTS].bytes = bytes;
  fence();
  net->tx_made = made + 1;
  front_notify(&net_front);
  u64 deadline = time_now() + DEADLINE_MS * TIME_PER_MS, before = interrupts_off();
  while (net->tx_done == made && time_now() < deadline) event_wait(deadline);
  interrupts_restore(before);
  return net->tx_done == made + 1;
}

static void break_net(void) {
  u8 *frame = page_alloc();
  i64 ref = grant_allow(PRIVVM_VMID, gpa_of(frame), GRANT_PERMIT | GRANT_READONLY);
  if (ref < 0) return failed("no grants");
  for (u64 n = 0; n < PV_SLOTS; n++) net->rx[n].ref = BAD_REF;
  fence();
  net->rx_made = PV_SLOTS;
  expect("empty frame", send((u64)ref, 0), 1);
  expect("frame beyond all numbers", send((u64)ref, ~0ul), 1);
  expect("frame that was not granted", send(BAD_REF, 60), 1);
  memset(frame, 0xff, 60); /* a broadcast, in everybody's name */
  expect("frame under another's address", send((u64)ref, 60), 1);
}

u64 guest_main(const char *arguments) {
  (void)arguments;
  disk = page_alloc();
  net = page_alloc();
  if (front_meet(&disk_front, PV_BLOCK, disk) != 0 || front_meet(&net_front, PV_NET, net) != 0) return 1;
  break_disk();
  break_net();
  disk->requests_made += 1000;
  net->tx_made += 1000;
  fence();
  front_notify(&disk_front);
  front_notify(&net_front);
  sleep_us(5000);
  return wrong == 0 ? 0 : 1;
}
