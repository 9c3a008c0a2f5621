/*
 * Device interrupts: the PLIC's sources go to the boot hart. The console's is handled here; those of devices that a VM
 * owns become its events, and stay claimed, so silent, until the VM says that it has served them.
 */
#include "lazarus.h"

#define PLIC_SOURCES 11
#define PLIC_PRIORITY(source) (BOARD_PLIC + 4ul * (source))
#define PLIC_ENABLE(context) (BOARD_PLIC + 0x2000 + 0x80ul * (context))
#define PLIC_THRESHOLD(context) (BOARD_PLIC + 0x200000 + 0x1000ul * (context))
#define PLIC_CLAIM(context) (PLIC_THRESHOLD(context) + 4)
/** Each hart has an M and an S context. */
#define PLIC_CONTEXT(hart) (2 * (hart) + 1)

static u32 enabled_sources(void) { return 1u << BOARD_UART_IRQ | (u32)event_irq_sources(); }

void irq_init(void) {
  for (u32 source = 1; source < PLIC_SOURCES; source++) mmio_write32(PLIC_PRIORITY(source), 1);
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    mmio_write32(PLIC_ENABLE(PLIC_CONTEXT(hart)), hart == boot_hart ? enabled_sources() : 0);
    mmio_write32(PLIC_THRESHOLD(PLIC_CONTEXT(hart)), 0);
  }
}

void irq_enable(u32 source) {
  u64 enable = PLIC_ENABLE(PLIC_CONTEXT(boot_hart));
  mmio_write32(enable, mmio_read32(enable) | 1u << source);
}

/** On behalf of the boot hart, whose claims they all are. */
void irq_complete(u32 source) { mmio_write32(PLIC_CLAIM(PLIC_CONTEXT(boot_hart)), source); }

void irq_interrupt(void) {
  u64 context = PLIC_CONTEXT(this_cpu()->id);
  for (u32 source; (source = mmio_read32(PLIC_CLAIM(context))) != 0;) {
    plant_in_irq();
    if (source == BOARD_UART_IRQ) {
      console_receive();
    } else if (event_from_irq(source)) {
      continue;
    }
    irq_complete(source);
  }
}

/*
 * The old boot hart may have been another one: its claims are completed through its own context, which takes a complete
 * only for sources that it has enabled. A level that still stands is claimed again. A source that a VM has not served
 * yet fires again too: its event is set twice, which the VM must bear.
 */
void irq_complete_lost(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    u64 context = PLIC_CONTEXT(hart);
    mmio_write32(PLIC_ENABLE(context), enabled_sources());
    for (u32 source = 1; source < PLIC_SOURCES; source++)
      if ((enabled_sources() >> source & 1) != 0) mmio_write32(PLIC_CLAIM(context), source);
    if (hart != boot_hart) mmio_write32(PLIC_ENABLE(context), 0);
  }
}
