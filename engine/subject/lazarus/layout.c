/*
 * The published layout: absolute symbols `layout.<struct>.<field>` (byte offsets) and `layout.<enum>.<name>` (values)
 * in the image's symbol table, so that tools outside find domains and vCPUs (from `domain_list`) and know hypercalls by
 * name, without debug info.
 */
#include "lazarus.h"

#define PUBLISH(name, value) __asm__ volatile(".globl layout." name "\n.set layout." name ", %0" : : "i"(value))
/** A call of abi.h: its number, and how many arguments it takes. */
#define HYPERCALL(name, number, arguments) \
  PUBLISH("hypercall." #name, number);      \
  PUBLISH("hypercall_arguments." #name, arguments)
#define FIELD(type, field) PUBLISH(#type "." #field, offsetof(struct type, field))

/* Never called; kept so that the symbols are assembled. */
__attribute__((used)) static void publish(void) {
  FIELD(domain, next);
  FIELD(domain, vmid);
  FIELD(domain, state);
  FIELD(domain, name);
  FIELD(domain, hgatp);
  FIELD(domain, vcpu);
  FIELD(domain, lock);
  FIELD(domain, privileged);
  FIELD(domain, frames);
  FIELD(domain, shared);
  FIELD(domain, grants);
  FIELD(domain, ports);
  FIELD(domain, mappings);
  FIELD(domain, progress);
  FIELD(domain, status);
  PUBLISH("domain.size", sizeof(struct domain));
  FIELD(vcpu, x);
  FIELD(vcpu, pc);
  FIELD(vcpu, sstatus);
  FIELD(vcpu, live);
  FIELD(vcpu, domain);
  FIELD(vcpu, next);
  FIELD(vcpu, queue_next);
  FIELD(vcpu, state);
  FIELD(vcpu, hart);
  FIELD(vcpu, on_hart);
  FIELD(vcpu, wake_at);
  FIELD(vcpu, vs);
  FIELD(vcpu, call);
  PUBLISH("vcpu.size", sizeof(struct vcpu));
  FIELD(cpu, current);
  FIELD(cpu, loaded);
  FIELD(cpu, queue_head);
  FIELD(cpu, irq_depth);
  FIELD(cpu, ticks);
  PUBLISH("cpu.size", sizeof(struct cpu));
  FIELD(frame, owner);
  FIELD(frame, type);
  FIELD(frame, count);
  PUBLISH("frame.size", sizeof(struct frame));
  FIELD(spinlock, owner);
  FIELD(spinlock, name);
  PUBLISH("spinlock.size", sizeof(struct spinlock));
  PUBLISH("vcpu_state.runnable", VCPU_RUNNABLE);
  PUBLISH("vcpu_state.running", VCPU_RUNNING);
  PUBLISH("vcpu_state.blocked", VCPU_BLOCKED);
  PUBLISH("vcpu_state.done", VCPU_DONE);
  PUBLISH("domain_state.running", DOMAIN_RUNNING);
  PUBLISH("domain_state.done", DOMAIN_DONE);
  PUBLISH("domain_state.crashed", DOMAIN_CRASHED);
  PUBLISH("domain_state.paused", DOMAIN_PAUSED);
  PUBLISH("domain_state.dying", DOMAIN_DYING);
  PUBLISH("domain_state.dead", DOMAIN_DEAD);
  HYPERCALL(console_write, CALL_CONSOLE_WRITE, 2);
  HYPERCALL(console_read, CALL_CONSOLE_READ, 0);
  HYPERCALL(yield, CALL_YIELD, 0);
  HYPERCALL(get_vmid, CALL_GET_VMID, 0);
  HYPERCALL(report_progress, CALL_REPORT_PROGRESS, 1);
  HYPERCALL(shutdown, CALL_SHUTDOWN, 1);
  HYPERCALL(store_put, CALL_STORE_PUT, 2);
  HYPERCALL(store_get, CALL_STORE_GET, 1);
  HYPERCALL(store_add, CALL_STORE_ADD, 2);
  HYPERCALL(store_peek, CALL_STORE_PEEK, 2);
  HYPERCALL(vcpu_start, CALL_VCPU_START, 3);
  HYPERCALL(shared_info, CALL_SHARED_INFO, 1);
  HYPERCALL(event_alloc, CALL_EVENT_ALLOC, 1);
  HYPERCALL(event_bind, CALL_EVENT_BIND, 2);
  HYPERCALL(event_bind_irq, CALL_EVENT_BIND_IRQ, 1);
  HYPERCALL(event_send, CALL_EVENT_SEND, 1);
  HYPERCALL(event_mask, CALL_EVENT_MASK, 2);
  HYPERCALL(event_poll, CALL_EVENT_POLL, 2);
  HYPERCALL(event_close, CALL_EVENT_CLOSE, 1);
  HYPERCALL(event_eoi, CALL_EVENT_EOI, 1);
  HYPERCALL(grant_setup, CALL_GRANT_SETUP, 1);
  HYPERCALL(grant_map, CALL_GRANT_MAP, 4);
  HYPERCALL(grant_unmap, CALL_GRANT_UNMAP, 1);
  HYPERCALL(grant_copy, CALL_GRANT_COPY, 2);
  HYPERCALL(grant_transfer, CALL_GRANT_TRANSFER, 3);
  HYPERCALL(memory_populate, CALL_MEMORY_POPULATE, 3);
  HYPERCALL(memory_decrease, CALL_MEMORY_DECREASE, 2);
  HYPERCALL(memory_exchange, CALL_MEMORY_EXCHANGE, 1);
  HYPERCALL(memory_map_foreign, CALL_MEMORY_MAP_FOREIGN, 3);
  HYPERCALL(memory_unmap_foreign, CALL_MEMORY_UNMAP_FOREIGN, 1);
  HYPERCALL(memory_machine, CALL_MEMORY_MACHINE, 1);
  HYPERCALL(multicall, CALL_MULTICALL, 2);
  HYPERCALL(domain_create, CALL_DOMAIN_CREATE, 1);
  HYPERCALL(domain_start, CALL_DOMAIN_START, 3);
  HYPERCALL(domain_pause, CALL_DOMAIN_PAUSE, 1);
  HYPERCALL(domain_unpause, CALL_DOMAIN_UNPAUSE, 1);
  HYPERCALL(domain_destroy, CALL_DOMAIN_DESTROY, 1);
  HYPERCALL(domain_list, CALL_DOMAIN_LIST, 2);
}
