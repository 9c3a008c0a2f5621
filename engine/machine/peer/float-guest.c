/*
 * A bare-metal program in C that leans on double and single precision: printed numbers, series, linear algebra, orbits,
 * roots and conversions. Compiled with fused multiply-add allowed. Runs in M-mode at the start of RAM, prints to the
 * UART and stops the board. Assumes nothing but the `virt` board; checks nothing: its output is compared.
 */
typedef unsigned long u64;
typedef unsigned int u32;

#define UART ((volatile unsigned char *)0x10000000)
#define FINISHER ((volatile u32 *)0x100000)

__asm__(".section .text.entry, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "  li t0, 0x6000\n"
        "  csrs mstatus, t0\n"
        "  la sp, stack_top\n"
        "  call run\n"
        "1: j 1b\n"
        ".text\n");
char stack[16384] __attribute__((aligned(16)));
__asm__(".globl stack_top\n.set stack_top, stack + 16384\n");

static void put(char c) {
  while (!(UART[5] & 0x20)) {
  }
  UART[0] = c;
}
static void text(const char *s) {
  while (*s) put(*s++);
}
static void hex(u64 v) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[(v >> shift) & 15]);
}
static u64 bits(double d) {
  union { double d; u64 u; } x = {.d = d};
  return x.u;
}
static void decimal(u64 v) {
  if (v >= 10) decimal(v / 10);
  put('0' + v % 10);
}
/* Twelve digits after the point, by floating point itself. */
static void number(double d) {
  if (d < 0) put('-'), d = -d;
  u64 whole = (u64)d;
  decimal(whole);
  put('.');
  double rest = d - (double)whole;
  for (int i = 0; i < 12; i++) {
    rest *= 10;
    int digit = (int)rest;
    put('0' + digit);
    rest -= digit;
  }
}
static void line(const char *name, double d) {
  text(name);
  text(" = ");
  number(d);
  text(" ");
  hex(bits(d));
  text("\n");
}
static u64 flags(void) {
  u64 f;
  __asm__ volatile("csrr %0, fcsr" : "=r"(f));
  return f;
}

static double exponential(double x) {
  double sum = 1, term = 1;
  for (int n = 1; n < 40; n++) term *= x / n, sum += term;
  return sum;
}
static double sine(double x) {
  double sum = x, term = x;
  for (int n = 1; n < 25; n++) term *= -x * x / ((2.0 * n) * (2.0 * n + 1)), sum += term;
  return sum;
}

#define N 24
static double a[N][N], b[N];
/* Gauss with partial pivoting on a Hilbert-like matrix; the norm of the solution. */
static double solve(void) {
  for (int i = 0; i < N; i++) {
    b[i] = sine(i + 0.25);
    for (int j = 0; j < N; j++) a[i][j] = 1.0 / (i + j + 1) + (i == j ? 0.125 : 0);
  }
  for (int k = 0; k < N; k++) {
    int best = k;
    for (int i = k + 1; i < N; i++)
      if (__builtin_fabs(a[i][k]) > __builtin_fabs(a[best][k])) best = i;
    for (int j = 0; j < N; j++) { double t = a[k][j]; a[k][j] = a[best][j]; a[best][j] = t; }
    double t = b[k]; b[k] = b[best]; b[best] = t;
    for (int i = k + 1; i < N; i++) {
      double f = a[i][k] / a[k][k];
      for (int j = k; j < N; j++) a[i][j] -= f * a[k][j];
      b[i] -= f * b[k];
    }
  }
  double norm = 0;
  for (int i = N - 1; i >= 0; i--) {
    for (int j = i + 1; j < N; j++) b[i] -= a[i][j] * b[j];
    b[i] /= a[i][i];
    norm += b[i] * b[i];
  }
  return __builtin_sqrt(norm);
}

/* Three bodies, leapfrog; the energy drifts a little, always the same little. */
static double orbits(int steps) {
  double x[3][2] = {{-1, 0}, {1, 0}, {0, 0.1}}, v[3][2] = {{0.35, 0.53}, {0.35, 0.53}, {-0.7, -1.06}};
  for (int s = 0; s < steps; s++)
    for (int i = 0; i < 3; i++) {
      double f[2] = {0, 0};
      for (int j = 0; j < 3; j++) {
        if (i == j) continue;
        double d0 = x[j][0] - x[i][0], d1 = x[j][1] - x[i][1], r2 = d0 * d0 + d1 * d1 + 1e-4;
        double inv = 1 / (r2 * __builtin_sqrt(r2));
        f[0] += d0 * inv, f[1] += d1 * inv;
      }
      for (int k = 0; k < 2; k++) v[i][k] += 0.001 * f[k], x[i][k] += 0.001 * v[i][k];
    }
  return x[0][0] + 10 * x[1][1] + 100 * x[2][0];
}

static float logistic(int n) {
  float x = 0.3f;
  while (n--) x = 3.9f * x * (1 - x);
  return x;
}
static u64 mandelbrot(void) {
  u64 total = 0;
  for (int py = 0; py < 24; py++)
    for (int px = 0; px < 64; px++) {
      double cr = -2.2 + px * (3.2 / 64), ci = -1.2 + py * 0.1, r = 0, i = 0;
      int n = 0;
      for (; n < 60 && r * r + i * i < 4; n++) { double t = r * r - i * i + cr; i = 2 * r * i + ci; r = t; }
      total = total * 31 + n;
    }
  return total;
}

void run(void) {
  line("exp(1)", exponential(1));
  line("exp(-7.5)", exponential(-7.5));
  line("sin(1e-3)", sine(1e-3));
  line("sin(9)", sine(9));
  line("solve", solve());
  line("orbits", orbits(2000));
  line("logistic", logistic(1000));
  text("mandelbrot ");
  hex(mandelbrot());
  text("\n");
  double tiny = 1;
  for (int n = 0; n < 1074; n++) tiny /= 2;
  text("least ");
  hex(bits(tiny));
  hex(bits(tiny / 2));
  text("\n");
  for (u32 mode = 0; mode < 5; mode++) {
    __asm__ volatile("csrw fcsr, zero\n csrw frm, %0" ::"r"(mode));
    double sum = 0;
    for (int n = 1; n < 2000; n++) sum += (n & 1 ? 1.0 : -1.0) / n;
    float narrow = (float)(sum * 1e-40);
    text("mode ");
    hex(bits(sum));
    hex((u64)(long)__builtin_lrint(sum * 1e6));
    hex(bits(narrow));
    hex(flags());
    text("\n");
  }
  *FINISHER = 0x5555;
}
