/*
 * Event channels. A port's two ends are words in the structures of two domains; pending bits lie in the page that a
 * domain shares with us, so that it clears them without a hypercall. What is raised is worked out anew at every VM
 * entry: no delivery is ever in flight, and none can be lost with the hart that failed.
 */
#include "lazarus.h"

#define PORT(number) (1ul << (number))

u64 event_raised(const struct domain *domain) {
  return domain->shared == NULL ? 0 : domain->shared->pending & ~domain->shared->mask;
}

void event_update(struct vcpu *vcpu) {
  if (vcpu->ipi != 0) {
    csr_set(HVIP, 1ul << IRQ_VSSI); /* first: cut off here, it comes twice, which is allowed */
    __atomic_exchange_n(&vcpu->ipi, 0, __ATOMIC_ACQ_REL);
  }
  if (vcpu->index != 0) return;
  if (event_raised(vcpu->domain) != 0)
    csr_set(HVIP, 1ul << IRQ_VSEI);
  else
    csr_clear(HVIP, 1ul << IRQ_VSEI);
}

static void set_pending(struct domain *domain, u64 port) {
  if (domain->shared == NULL) return;
  __atomic_fetch_or(&domain->shared->pending, PORT(port), __ATOMIC_SEQ_CST);
  sched_kick(domain->vcpu);
}

static union event_port *port_of(struct domain *domain, u64 port) {
  return port < EVENT_PORTS ? &domain->ports[port] : NULL;
}

static i64 free_port(const struct domain *domain) {
  for (i64 port = 1; port < EVENT_PORTS; port++)
    if (domain->ports[port].state == EVENT_CLOSED) return port;
  return CALL_NO_MEMORY;
}

i64 event_alloc(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  call_lock_domains(domain, NULL);
  i64 port = free_port(domain);
  if (port < 0) return port;
  union event_port made = {{.state = EVENT_UNBOUND, .remote_vmid = (u32)arguments[0]}};
  undo_write(vcpu, &domain->ports[port].word, made.word);
  return port;
}

i64 event_bind(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain, *remote = domain_find(arguments[0]);
  if (remote == NULL) return CALL_NOT_FOUND;
  call_lock_domains(domain, remote);
  union event_port *other = port_of(remote, arguments[1]);
  if (other == NULL || other->state != EVENT_UNBOUND || other->remote_vmid != domain->vmid) return CALL_BAD_ARGUMENT;
  i64 port = free_port(domain);
  if (port < 0) return port;
  union event_port mine = {{.state = EVENT_CONNECTED, .remote_port = (u16)arguments[1], .remote_vmid = remote->vmid}};
  union event_port theirs = {{.state = EVENT_CONNECTED, .remote_port = (u16)port, .remote_vmid = domain->vmid}};
  undo_write(vcpu, &domain->ports[port].word, mine.word);
  undo_write(vcpu, &other->word, theirs.word);
  return port;
}

i64 event_bind_irq(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  u64 source = arguments[0];
  if (source < 1 || source > 8) return CALL_BAD_ARGUMENT; /* the virtio slots */
  call_lock_domains(domain, NULL);
  if ((event_irq_sources() >> source & 1) != 0) return CALL_BUSY;
  i64 port = free_port(domain);
  if (port < 0) return port;
  union event_port made = {{.state = EVENT_IRQ, .remote_port = (u16)source}};
  undo_write(vcpu, &domain->ports[port].word, made.word);
  irq_enable((u32)source);
  return port;
}

i64 event_send(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  union event_port *port = port_of(domain, arguments[0]);
  if (port == NULL) return CALL_BAD_ARGUMENT;
  union event_port now = *port; /* one word: a whole answer without the lock */
  if (now.state == EVENT_UNBOUND) return 0; /* nobody listens yet */
  if (now.state != EVENT_CONNECTED) return CALL_BAD_ARGUMENT;
  struct domain *remote = domain_find(now.remote_vmid);
  if (remote == NULL) return CALL_NOT_FOUND;
  set_pending(remote, now.remote_port);
  return 0;
}

i64 event_mask(struct vcpu *vcpu, const u64 *arguments) {
  struct shared_info *shared = vcpu->domain->shared;
  if (arguments[0] >= EVENT_PORTS || shared == NULL) return CALL_BAD_ARGUMENT;
  if (arguments[1] != 0)
    __atomic_fetch_or(&shared->mask, PORT(arguments[0]), __ATOMIC_SEQ_CST);
  else
    __atomic_fetch_and(&shared->mask, ~PORT(arguments[0]), __ATOMIC_SEQ_CST);
  return 0;
}

i64 event_poll(struct vcpu *vcpu, const u64 *arguments) {
  struct shared_info *shared = vcpu->domain->shared;
  if (shared == NULL || vcpu->index != 0) return CALL_BAD_ARGUMENT;
  u64 pending = shared->pending & arguments[0];
  if (pending != 0) return (i64)pending;
  if (time_now() >= arguments[1]) return 0;
  vcpu->wake_at = arguments[1];
  vcpu->wake_ports = arguments[0];
  vcpu->state = VCPU_BLOCKED;
  return CALL_BLOCKS;
}

/** The other end of a connected port becomes unbound. */
static void disconnect(struct vcpu *vcpu, struct domain *domain, const union event_port *port) {
  struct domain *remote = port->state == EVENT_CONNECTED ? domain_find(port->remote_vmid) : NULL;
  union event_port *other = remote == NULL ? NULL : port_of(remote, port->remote_port);
  if (other == NULL || other->state != EVENT_CONNECTED || other->remote_vmid != domain->vmid) return;
  union event_port unbound = {{.state = EVENT_UNBOUND, .remote_vmid = domain->vmid}};
  if (vcpu != NULL) undo_log(vcpu, &other->word);
  other->word = unbound.word;
}

i64 event_close(struct vcpu *vcpu, const u64 *arguments) {
  struct domain *domain = vcpu->domain;
  union event_port *port = port_of(domain, arguments[0]);
  if (port == NULL || port->state == EVENT_CLOSED) return CALL_BAD_ARGUMENT;
  call_lock_domains(domain, port->state == EVENT_CONNECTED ? domain_find(port->remote_vmid) : NULL);
  disconnect(vcpu, domain, port);
  undo_write(vcpu, &port->word, 0);
  return 0;
}

void event_close_all(struct domain *domain) {
  for (u64 n = 0; n < EVENT_PORTS; n++) {
    disconnect(NULL, domain, &domain->ports[n]);
    domain->ports[n].word = 0;
  }
}

i64 event_eoi(struct vcpu *vcpu, const u64 *arguments) {
  union event_port *port = port_of(vcpu->domain, arguments[0]);
  if (port == NULL || port->state != EVENT_IRQ) return CALL_BAD_ARGUMENT;
  irq_complete(port->remote_port);
  return 0;
}

u64 event_irq_sources(void) {
  u64 sources = 0;
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    for (u64 n = 0; domain->privileged && n < EVENT_PORTS; n++)
      if (domain->ports[n].state == EVENT_IRQ) sources |= 1ul << domain->ports[n].remote_port;
  return sources;
}

int event_from_irq(u32 source) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    for (u64 n = 0; domain->privileged && n < EVENT_PORTS; n++)
      if (domain->ports[n].state == EVENT_IRQ && domain->ports[n].remote_port == source) {
        set_pending(domain, n);
        return 1;
      }
  return 0;
}
