/*
 * The unmodified guest's UART: a 16550A without modem or wire. What is written is output at once, through the recovery
 * block; what is received waits in the domain's console input. Its registers are bytes of one word of the domain
 * (uart), so that each write is one store; writing them again changes nothing.
 *
 * It has no interrupt line: its identification register says what would be pending, for drivers that poll. The FIFOs'
 * reset bits do nothing, so nothing typed ahead is lost.
 */
#include "unmodified.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR, DIVISOR_LOW, DIVISOR_HIGH };
/** Where in the word: scratch, both divisor bytes and FCR take the places of registers that hold nothing. */
static const u8 place[] = {[IER] = 1, [IIR_FCR] = 2, [LCR] = 3, [MCR] = 4, [SCR] = 7, [DIVISOR_LOW] = 5, [DIVISOR_HIGH] = 6};

#define IER_RECEIVED 0x01
#define IER_EMPTY 0x02
#define IIR_NONE 0x01
#define IIR_TRANSMITTER 0x02
#define IIR_RECEIVER 0x04
#define IIR_FIFOS 0xc0
#define LCR_DIVISOR 0x80
#define MCR_LOOP 0x10
#define LSR_RECEIVED 0x01
#define LSR_IDLE 0x60
#define MSR_CARRIER_AND_READY 0xb0

static u8 held(const struct domain *domain, u64 which) { return (u8)(domain->uart >> (8 * place[which])); }

static int received(struct vcpu *vcpu) {
  call_lock_domains(vcpu->domain, NULL);
  return vcpu->domain->input_tail != vcpu->domain->input_head;
}

/** DATA and IER give way to the divisor while LCR says so. */
static u64 which_register(const struct domain *domain, u64 offset) {
  return offset <= IER && (held(domain, LCR) & LCR_DIVISOR) != 0 ? DIVISOR_LOW + offset : offset & 7;
}

static u8 interrupt_identification(struct vcpu *vcpu) {
  u8 fifos = (held(vcpu->domain, IIR_FCR) & 1) != 0 ? IIR_FIFOS : 0, enabled = held(vcpu->domain, IER);
  if ((enabled & IER_RECEIVED) != 0 && received(vcpu)) return fifos | IIR_RECEIVER;
  return fifos | ((enabled & IER_EMPTY) != 0 ? IIR_TRANSMITTER : IIR_NONE);
}

/** In the loop, the modem's inputs are what MCR puts out: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD. */
static u8 modem_status(u8 control) {
  if ((control & MCR_LOOP) == 0) return MSR_CARRIER_AND_READY;
  return (u8)((control & 1) << 5 | (control & 2) << 3 | (control & 12) << 4);
}

u8 vuart_read(struct vcpu *vcpu, u64 offset) {
  const struct domain *domain = vcpu->domain;
  u64 which = which_register(domain, offset);
  switch (which) {
    case DATA: {
      i64 byte = console_read(vcpu, NULL);
      return byte < 0 ? 0 : (u8)byte;
    }
    case IIR_FCR: return interrupt_identification(vcpu);
    case LSR: return LSR_IDLE | (received(vcpu) ? LSR_RECEIVED : 0);
    case MSR: return modem_status(held(domain, MCR));
    default: return held(domain, which);
  }
}

void vuart_write(struct vcpu *vcpu, u64 offset, u8 value) {
  struct domain *domain = vcpu->domain;
  call_lock_domains(domain, NULL);
  u64 which = which_register(domain, offset);
  if (which == DATA) {
    if ((held(domain, MCR) & MCR_LOOP) == 0) console_put(vcpu, (char)value);
  } else if (which != LSR && which != MSR) {
    u64 shift = 8ul * place[which];
    __atomic_store_n(&domain->uart, (domain->uart & ~(0xfful << shift)) | (u64)value << shift, __ATOMIC_RELEASE);
  }
}
