/*
 * Back end of the split block device. Each AppVM has its own slice of the real disk, for good. A request's page is
 * mapped for as long as the request is in flight, and the device works on that page itself.
 */
#include "privvm.h"

#define SECTORS_PER_PAGE (PAGE_BYTES / PV_SECTOR_BYTES)

struct block_front {
  struct front front;
  struct pv_block_ring *ring;
  u64 first_sector, sectors;
  /** Requests taken; counts freely. */
  u32 taken;
};
static struct block_front fronts[VMS_MAX];

/** A request that the disk works on: its tag is its index. */
static struct flight {
  int busy;
  u64 index, id;
  /** Of the mapped page; -1 without one. */
  i64 handle;
} flights[DISK_REQUESTS];
/** Whose turn it is, so that nobody starves. */
static u64 turn;

void backend_block_attach(u64 index) {
  u64 slice = disk_sectors() / VMS_MAX / SECTORS_PER_PAGE * SECTORS_PER_PAGE;
  fronts[index] = (struct block_front){.front = {FRONT_SEARCHED, index, FIRST_VMID + index, NULL, 0, 0}};
  fronts[index].first_sector = index * slice;
  fronts[index].sectors = slice;
}

static void respond(struct block_front *its, u64 id, u64 status) {
  struct pv_block_ring *ring = its->ring;
  u32 made = ring->responses_made;
  ring->responses[made % PV_SLOTS] = (struct pv_response){id, status};
  fence(); /* the response before the counter that covers it */
  ring->responses_made = made + 1;
  front_notify(&its->front);
}

/** Within the VM's slice, and no more than a page. A flush has no data. */
static int is_sound(const struct block_front *its, const struct pv_block_request *request) {
  if (request->operation == PV_FLUSH) return 1;
  if (request->operation != PV_READ && request->operation != PV_WRITE) return 0;
  if (request->sectors == 0 || request->sectors > SECTORS_PER_PAGE || request->ref >= GRANT_ENTRIES) return 0;
  return request->sector <= its->sectors && request->sectors <= its->sectors - request->sector;
}

/** Hands a sound request to the disk, under a free tag. */
static void start(struct block_front *its, const struct pv_block_request *request, u64 tag) {
  struct flight *flight = &flights[tag];
  u64 machine = 0;
  *flight = (struct flight){0, its->front.index, request->id, -1};
  if (request->operation != PV_FLUSH) {
    u64 gpa = window_gpa(WINDOW_DMA + tag);
    /* The disk only reads what is written to it. */
    flight->handle = hypercall(CALL_GRANT_MAP, its->front.vmid, request->ref, gpa, request->operation == PV_WRITE);
    if (flight->handle < 0) {
      if (is_refusal(flight->handle)) respond(its, request->id, PV_ERROR);
      else front_failed(&its->front, "grant_map of a page", flight->handle);
      return;
    }
    machine = machine_of((void *)gpa);
  }
  flight->busy = 1;
  if (machine == 0 && request->operation != PV_FLUSH) return backend_block_done(tag, 0);
  disk_submit(tag, request->operation, its->first_sector + request->sector, machine, request->sectors * PV_SECTOR_BYTES);
}

static i64 free_tag(void) {
  for (u64 tag = 0; tag < DISK_REQUESTS; tag++)
    if (!flights[tag].busy) return (i64)tag;
  return -1;
}

/** Takes one request. 1 when there was one and a place for it. */
static int serve_one(struct block_front *its) {
  if (its->front.state != FRONT_CONNECTED) return 0;
  u32 made = its->ring->requests_made;
  i64 tag = free_tag();
  if (made == its->taken || tag < 0) return 0;
  if (made - its->taken > PV_SLOTS) {
    front_failed(&its->front, "its disk has more requests than slots", CALL_BAD_ARGUMENT);
    return 0;
  }
  fence(); /* the counter before what it covers */
  /* A copy, so that what is checked is what is done. */
  const volatile struct pv_block_request *slot = &its->ring->requests[its->taken++ % PV_SLOTS];
  struct pv_block_request request = {slot->id, slot->operation, slot->sector, slot->sectors, slot->ref};
  if (is_sound(its, &request)) start(its, &request, (u64)tag);
  else respond(its, request.id, PV_ERROR);
  return 1;
}

void backend_block_serve(u64 unused) {
  (void)unused;
  for (u64 idle = 0; idle < VMS_MAX; turn = (turn + 1) % VMS_MAX) idle = serve_one(&fronts[turn]) ? 0 : idle + 1;
}

void backend_block_search(u64 index) {
  struct block_front *its = &fronts[index];
  if (its->front.state != FRONT_SEARCHED || !front_search(&its->front, PV_BLOCK, backend_block_serve)) return;
  its->ring = its->front.ring;
  its->taken = its->ring->responses_made = 0;
  its->ring->disk_sectors = its->sectors;
  fence();
  its->ring->connected = 1;
  front_notify(&its->front);
  backend_block_serve(0);
}

void backend_block_detach(u64 index) { front_close(&fronts[index].front); }

void backend_block_done(u64 tag, int ok) {
  struct flight *flight = &flights[tag];
  struct block_front *its = &fronts[flight->index];
  flight->busy = 0;
  if (flight->handle >= 0) checked("grant_unmap of a page", hypercall(CALL_GRANT_UNMAP, flight->handle));
  /* The VM may have ended meanwhile. */
  if (its->front.state != FRONT_CONNECTED) return;
  respond(its, flight->id, ok ? PV_OK : PV_ERROR);
}

int backend_block_idle(void) {
  for (u64 tag = 0; tag < DISK_REQUESTS; tag++)
    if (flights[tag].busy) return 0;
  return 1;
}
