/*
 * Back end of the loop device: maps a granted page, stirs it and gives it back, or makes a frame and transfers it.
 * Every request is served at once. For guests that exercise grants, transfers and events between VMs; needs no real
 * device.
 */
#include "privvm.h"

#define PAGE_WORDS (PAGE_BYTES / 8)

struct loop_front {
  struct front front;
  struct pv_loop_ring *ring;
  /** Requests taken; counts freely. */
  u32 taken;
};
static struct loop_front fronts[VMS_MAX];

void backend_loop_attach(u64 index) {
  fronts[index] = (struct loop_front){.front = {FRONT_SEARCHED, index, FIRST_VMID + index, NULL, 0, 0}};
}

static void stir(volatile u64 *page, u64 key) {
  for (u64 at = 0; at < PAGE_WORDS; at++) page[at] = pv_loop_word(page[at], key + at);
}

static i64 stir_granted(const struct loop_front *its, const struct pv_loop_request *request) {
  u64 gpa = window_gpa(WINDOW_LOOP);
  i64 handle = hypercall(CALL_GRANT_MAP, its->front.vmid, request->ref, gpa, 0);
  if (handle < 0) return handle;
  stir((u64 *)gpa, request->key);
  return checked("grant_unmap of a page", hypercall(CALL_GRANT_UNMAP, handle));
}

/** All that the PrivVM may own is its RAM: one page of that stays without a frame, for the frame that is on its way. */
static i64 make_room(void) {
  static u8 *hole;
  if (hole != NULL) return 0;
  hole = page_alloc();
  if (hole == NULL) return CALL_NO_MEMORY;
  return checked("memory_decrease", hypercall(CALL_MEMORY_DECREASE, hole, 1)) == 1 ? 0 : CALL_NO_MEMORY;
}

static i64 give(const struct loop_front *its, const struct pv_loop_request *request) {
  u64 gpa = window_gpa(WINDOW_LOOP);
  i64 done = make_room();
  if (done == 0) done = hypercall(CALL_MEMORY_POPULATE, gpa, 1, 0);
  if (done != 1) return done < 0 ? done : CALL_NO_MEMORY;
  stir((u64 *)gpa, request->key);
  i64 result = hypercall(CALL_GRANT_TRANSFER, gpa, its->front.vmid, request->ref);
  if (result < 0) checked("memory_decrease", hypercall(CALL_MEMORY_DECREASE, gpa, 1));
  return result;
}

static void respond(struct loop_front *its, u64 id, u64 status) {
  struct pv_loop_ring *ring = its->ring;
  u32 made = ring->responses_made;
  ring->responses[made % PV_SLOTS] = (struct pv_response){id, status};
  fence(); /* the response before the counter that covers it */
  ring->responses_made = made + 1;
}

static void serve_one(struct loop_front *its) {
  fence(); /* the counter before what it covers */
  /* A copy, so that what is checked is what is done. */
  const volatile struct pv_loop_request *slot = &its->ring->requests[its->taken++ % PV_SLOTS];
  struct pv_loop_request request = {slot->id, slot->operation, slot->ref, slot->key};
  i64 result = CALL_BAD_ARGUMENT;
  if (request.operation == PV_LOOP_STIR) result = stir_granted(its, &request);
  if (request.operation == PV_LOOP_GIVE) result = give(its, &request);
  if (result < 0 && !is_refusal(result) && result != CALL_NO_MEMORY) return front_failed(&its->front, "its loop", result);
  respond(its, request.id, result < 0 ? PV_ERROR : PV_OK);
}

static void serve(u64 index) {
  struct loop_front *its = &fronts[index];
  u32 before = its->taken;
  while (its->front.state == FRONT_CONNECTED && its->taken != its->ring->requests_made) {
    if (its->ring->requests_made - its->taken > PV_SLOTS)
      return front_failed(&its->front, "its loop has more requests than slots", CALL_BAD_ARGUMENT);
    serve_one(its);
  }
  if (its->taken != before && its->front.state == FRONT_CONNECTED) front_notify(&its->front);
}

void backend_loop_search(u64 index) {
  struct loop_front *its = &fronts[index];
  if (its->front.state != FRONT_SEARCHED || !front_search(&its->front, PV_LOOP, serve)) return;
  its->ring = its->front.ring;
  its->taken = its->ring->responses_made = 0;
  fence();
  its->ring->connected = 1;
  front_notify(&its->front);
  serve(index);
}

void backend_loop_detach(u64 index) { front_close(&fronts[index].front); }
