/*
 * The published layout: absolute symbols `layout.<struct>.<field>` (byte offsets) and `layout.<enum>.<name>` (values)
 * in the image's symbol table, so that tools outside find domains and vCPUs (from `domain_list`) without debug info.
 */
#include "lazarus.h"

#define PUBLISH(name, value) __asm__ volatile(".globl layout." name "\n.set layout." name ", %0" : : "i"(value))
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
}
