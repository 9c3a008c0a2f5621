/*
 * Exits of an unmodified guest that are no SBI calls. An access to its UART is emulated; anything else that its board
 * does not have raises the exception that a board would.
 *
 * Such an exit is a call like any other (hypercall.c): made again when it was cut off, until it completes with one
 * store. An exception completes the same way: what the vCPU is to get is in the call's record, and is applied from
 * there.
 */
#include "unmodified.h"

struct access {
  u32 store, bytes, is_signed;
  /** Register that gets or gives the value. */
  u32 reg;
  /** Bytes of the instruction. */
  u32 length;
};

#define OPCODE_LOAD 0x03
#define OPCODE_STORE 0x23

/**
 * A load or store; `length` of the instruction as it was. 0 for others (AMOs and floating point do not go to a UART).
 */
static int decode(u32 instruction, u32 length, struct access *access) {
  u32 opcode = instruction & 0x7f, width = instruction >> 12 & 7;
  if (opcode != OPCODE_LOAD && opcode != OPCODE_STORE) return 0;
  access->store = opcode == OPCODE_STORE;
  if (width == 7 || (access->store && width > 3)) return 0;
  access->bytes = 1u << (width & 3);
  access->is_signed = width < 4;
  access->reg = access->store ? instruction >> 20 & 31 : instruction >> 7 & 31;
  access->length = length;
  return 1;
}

/** c.lw, c.ld, c.sw, c.sd (quadrant 0) as the instructions they stand for, without the offset. */
static u32 expand(u32 half) {
  u32 kind = half >> 13, reg = 8 + (half >> 2 & 7);
  if ((half & 3) != 0 || (kind & 2) == 0) return 0;
  return (kind & 3) << 12 | (kind >= 4 ? OPCODE_STORE | reg << 20 : OPCODE_LOAD | reg << 7);
}

/** Where VS-stage translation finds a virtual address that it has just translated, or ~0 if it no longer does. */
static u64 translate(const struct domain *domain, u64 address) {
  u64 vsatp = csr_read(VSATP), mode = vsatp >> 60, table = (vsatp & 0xffffffffffful) << 12;
  if (mode == 0) return address;
  for (i64 level = (i64)mode - 6; level >= 0; level--) { /* Sv39: 8, three levels */
    u64 entry, shift = 12 + 9 * (u64)level, offset = (1ul << shift) - 1;
    if (!guest_read(domain, table + (address >> shift & 511) * 8, &entry, sizeof(entry)) || (entry & 1) == 0) break;
    table = (entry >> 10 & 0xffffffffffful) << 12;
    if ((entry & 0xe) != 0) return (table & ~offset) | (address & offset);
  }
  return ~0ul;
}

static int fetch_half(const struct vcpu *vcpu, u64 address, u16 *half) {
  return guest_read(vcpu->domain, translate(vcpu->domain, address), half, sizeof(*half));
}

/** By htinst (hypervisor extension 8.6.3), which need not say; then by the instruction itself. */
static int find_access(const struct vcpu *vcpu, struct access *access) {
  u64 transformed = vcpu->domain->unmodified == UNMODIFIED_NO_HTINST ? 0 : csr_read(HTINST);
  if ((transformed & 1) != 0) return decode((u32)transformed | 2, (transformed & 2) != 0 ? 4 : 2, access);
  if (transformed != 0) return 0; /* an implicit access: page tables in the UART */
  u16 low, high;
  if (!fetch_half(vcpu, vcpu->pc, &low)) return 0;
  if ((low & 3) != 3) return decode(expand(low), 2, access);
  return fetch_half(vcpu, vcpu->pc + 2, &high) && decode((u32)high << 16 | low, 4, access);
}

static int emulate(struct vcpu *vcpu) {
  struct inflight *call = &vcpu->call;
  u64 gpa = csr_read(HTVAL) << 2 | (csr_read(STVAL) & 3);
  struct access access;
  if (gpa < GUEST_UART || gpa >= GUEST_UART + GUEST_UART_BYTES || !find_access(vcpu, &access)) return 0;
  call->length = access.length;
  if (access.store) {
    call->target = 0;
    vuart_write(vcpu, gpa - GUEST_UART, (u8)vcpu->x[access.reg]);
    hypercall_complete(vcpu, 0);
  } else {
    u8 value = vuart_read(vcpu, gpa - GUEST_UART);
    call->target = access.reg;
    hypercall_complete(vcpu, access.bytes == 1 && access.is_signed ? (u64)(i64)(signed char)value : value);
  }
  return 1;
}

static void raise(struct vcpu *vcpu, u64 cause, u64 value) {
  u64 status = csr_read(VSSTATUS);
  suspect(); /* the guest is told that it was wrong */
  vcpu->call.value = cause;
  vcpu->call.trap_value = value;
  vcpu->call.injects = 1;
  hypercall_complete(vcpu, (status & ~(STATUS_SPP | STATUS_SPIE | STATUS_SIE)) | (vcpu->sstatus & STATUS_SPP) |
                               ((status & STATUS_SIE) != 0 ? STATUS_SPIE : 0));
}

/*
 * In recovery VS CSRs are in the vCPU, otherwise in the hart. All comes from the record: repeating it changes nothing.
 */
void unmodified_inject(struct vcpu *vcpu) {
  const struct inflight *call = &vcpu->call;
  if (this_cpu()->loaded == vcpu) {
    csr_write(VSSTATUS, call->result);
    csr_write(VSEPC, call->exit_pc);
    csr_write(VSCAUSE, call->value);
    csr_write(VSTVAL, call->trap_value);
    vcpu->pc = csr_read(VSTVEC) & ~3ul;
  } else {
    vcpu->vs.vsstatus = call->result;
    vcpu->vs.vsepc = call->exit_pc;
    vcpu->vs.vscause = call->value;
    vcpu->vs.vstval = call->trap_value;
    vcpu->pc = vcpu->vs.vstvec & ~3ul;
  }
  vcpu->sstatus |= STATUS_SPP;
}

int unmodified_exit(struct vcpu *vcpu, u64 cause) {
  u64 value = csr_read(STVAL);
  if (!vcpu->domain->unmodified) return 0;
  hypercall_begin(vcpu);
  switch (cause) {
    case EXC_LOAD_GUEST_PAGE:
      if (!emulate(vcpu)) raise(vcpu, EXC_LOAD_ACCESS, value);
      break;
    case EXC_STORE_GUEST_PAGE:
      if (!emulate(vcpu)) raise(vcpu, EXC_STORE_ACCESS, value);
      break;
    case EXC_FETCH_GUEST_PAGE: raise(vcpu, EXC_FETCH_ACCESS, value); break;
    default: raise(vcpu, EXC_ILLEGAL, value); break; /* a virtual-instruction exception: the guest's hart has no H */
  }
  hypercall_end();
  return 1;
}
