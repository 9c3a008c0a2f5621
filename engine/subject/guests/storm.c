/*
 * A storm of hypercalls with known answers: store (repeatable and not), multicalls, an event channel from the VM to
 * itself, yields.
 */
#include "unixbench.h"

#define KEYS 8ul
#define COUNTER_KEY 100ul
#define ABSENT_KEY 0x9999ul
#define STORE_TURNS 24ul
#define BATCHES 6ul
#define EVENT_TURNS 8ul
#define YIELDS 6ul

static u64 own_vmid, counter;
static struct multicall_entry batch[MULTICALL_MAX];
/** Two ends of one channel. */
static u64 near_port, far_port;

static void nothing(u64 port) { (void)port; }

void storm_init(u64 vmid) {
  own_vmid = vmid;
  i64 first = checked("event_alloc", event_listen(vmid, nothing));
  i64 second = first < 0 ? first : checked("event_bind", event_connect(vmid, (u64)first, nothing));
  near_port = (u64)first;
  far_port = (u64)second;
}

static void store_turns(void) {
  for (u64 turn = 0; turn < STORE_TURNS; turn++) {
    u64 value = bench_next() >> 1, key = value % KEYS, n = 1 + value % 7;
    expect(hypercall(CALL_STORE_PUT, key, value) == 0, "store_put");
    expect((u64)hypercall(CALL_STORE_GET, key) == value, "store_get");
    counter += n;
    expect((u64)hypercall(CALL_STORE_ADD, COUNTER_KEY, n) == counter, "store_add");
    sum_up(value);
  }
  if (provokes) expect(hypercall(CALL_STORE_GET, ABSENT_KEY) == CALL_NOT_FOUND, "store_get of nothing");
  expect(hypercall(CALL_GET_VMID) == (i64)own_vmid, "get_vmid");
}

static void entry_set(u64 at, u64 call, u64 first, u64 second) {
  batch[at] = (struct multicall_entry){.call = call, .arguments = {first, second}, .result = -99};
}

/** Most entries are not repeatable: one made twice, or not at all, shows in the counter. */
static void multicall_turn(u64 seed) {
  u64 count = 4 + seed % (MULTICALL_MAX - 3);
  i64 expected[MULTICALL_MAX];
  for (u64 at = 0; at < count; at++) {
    u64 n = 1 + (seed >> at % 32 & 15);
    switch ((seed >> at % 16) % 5) {
      case 0:
        entry_set(at, CALL_STORE_PUT, KEYS + at, n);
        expected[at] = 0;
        break;
      case 1:
        entry_set(at, CALL_GET_VMID, 0, 0);
        expected[at] = (i64)own_vmid;
        break;
      case 2: /* nested: refused */
        entry_set(at, provokes ? CALL_MULTICALL : CALL_GET_VMID, gpa_of(batch), 1);
        expected[at] = provokes ? CALL_UNKNOWN : (i64)own_vmid;
        break;
      default:
        entry_set(at, CALL_STORE_ADD, COUNTER_KEY, n);
        expected[at] = (i64)(counter += n);
    }
  }
  expect(hypercall(CALL_MULTICALL, gpa_of(batch), count) == (i64)count, "multicall");
  for (u64 at = 0; at < count; at++) {
    expect(batch[at].result == expected[at], "an entry of a multicall");
    sum_up((u64)batch[at].result);
  }
  expect((u64)hypercall(CALL_STORE_GET, COUNTER_KEY) == counter, "counter after a multicall");
}

/** Waits until `port` was raised since `count`. */
static int comes(u64 port, u64 count) {
  u64 deadline = time_now() + FRONT_PATIENCE, before = interrupts_off();
  while (event_count(port) == count && time_now() < deadline) event_wait(deadline);
  interrupts_restore(before);
  return event_count(port) != count;
}

/** Sends along the channel, both ways; a masked end must stay silent, and speak when unmasked. */
static void event_turn(u64 turn) {
  u64 from = turn % 2 == 0 ? near_port : far_port, to = from == near_port ? far_port : near_port;
  u64 count = event_count(to);
  for (u64 n = 0; n <= turn % 3; n++) expect(hypercall(CALL_EVENT_SEND, from) == 0, "event_send");
  expect(comes(to, count), "an event");
  expect(hypercall(CALL_EVENT_MASK, to, 1) == 0, "event_mask");
  count = event_count(to);
  expect(hypercall(CALL_EVENT_SEND, from) == 0, "event_send to a masked port");
  i64 pending = hypercall(CALL_EVENT_POLL, 1ul << to, time_now() + FRONT_PATIENCE);
  expect(pending == (i64)(1ul << to) && event_count(to) == count, "a masked event");
  expect(hypercall(CALL_EVENT_MASK, to, 0) == 0, "event_mask: unmask");
  expect(comes(to, count), "an unmasked event");
}

void storm_round(void) {
  store_turns();
  for (u64 turn = 0; turn < BATCHES; turn++) multicall_turn(bench_next());
  for (u64 turn = 0; turn < EVENT_TURNS; turn++) event_turn(turn);
  for (u64 turn = 0; turn < YIELDS; turn++) expect(hypercall(CALL_YIELD) == 0, "yield");
}
