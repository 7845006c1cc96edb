#include "textflag.h"

// G, the compression function of RFC 9106, section 3.5, with AVX-512F.
//
// The whole block stands in sixteen registers, Z0 to Z15. A register holds eight words: four of a row in
// its low half, and the four below them, of the next row, in its high half (see position in block.go):
//
//	               a           b           c           d        of P (section 3.6) when it works on rows
//	rows 0, 1      Z0          Z1          Z2          Z3       a for the columns
//	rows 2, 3      Z4          Z5          Z6          Z7       b
//	rows 4, 5      Z8          Z9          Z10         Z11      c
//	rows 6, 7      Z12         Z13         Z14         Z15      d
//	words of row   0-3         4-7         8-11        12-15
//
// So P works on rows from left to right, two rows in each register, and on columns from top to bottom, four
// columns in each register (a column is two words wide), without moving a word from one register to another.
//
// Z16 to Z19 are scratch. Z20 and Z21 hold turnLeft and turnRight.
// AX is out, BX previous, CX reference, DX the block ahead.

// Where words go when the four words of a column are turned by one. A register holds words 0 and 1 of two
// columns, then words 2 and 3 of them.
DATA turnLeft<>+0(SB)/8, $1
DATA turnLeft<>+8(SB)/8, $4
DATA turnLeft<>+16(SB)/8, $3
DATA turnLeft<>+24(SB)/8, $6
DATA turnLeft<>+32(SB)/8, $5
DATA turnLeft<>+40(SB)/8, $0
DATA turnLeft<>+48(SB)/8, $7
DATA turnLeft<>+56(SB)/8, $2
GLOBL turnLeft<>(SB), RODATA|NOPTR, $64

DATA turnRight<>+0(SB)/8, $5
DATA turnRight<>+8(SB)/8, $0
DATA turnRight<>+16(SB)/8, $7
DATA turnRight<>+24(SB)/8, $2
DATA turnRight<>+32(SB)/8, $1
DATA turnRight<>+40(SB)/8, $4
DATA turnRight<>+48(SB)/8, $3
DATA turnRight<>+56(SB)/8, $6
GLOBL turnRight<>(SB), RODATA|NOPTR, $64

// Half of a half of GB (section 3.6), in four registers: a = a + b + 2*lo(a)*lo(b); d = (d ^ a) >>> n.
#define ADD_XOR_ROTATE(n, a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3) \
	VPMULUDQ a0, b0, Z16; VPMULUDQ a1, b1, Z17; VPMULUDQ a2, b2, Z18; VPMULUDQ a3, b3, Z19; \
	VPADDQ b0, a0, a0;    VPADDQ b1, a1, a1;    VPADDQ b2, a2, a2;    VPADDQ b3, a3, a3; \
	VPADDQ Z16, Z16, Z16; VPADDQ Z17, Z17, Z17; VPADDQ Z18, Z18, Z18; VPADDQ Z19, Z19, Z19; \
	VPADDQ Z16, a0, a0;   VPADDQ Z17, a1, a1;   VPADDQ Z18, a2, a2;   VPADDQ Z19, a3, a3; \
	VPXORQ a0, d0, d0;    VPXORQ a1, d1, d1;    VPXORQ a2, d2, d2;    VPXORQ a3, d3, d3; \
	VPRORQ $n, d0, d0;    VPRORQ $n, d1, d1;    VPRORQ $n, d2, d2;    VPRORQ $n, d3, d3

// GB of section 3.6, on four registers of each of a, b, c and d.
#define GB(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3) \
	ADD_XOR_ROTATE(32, a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3); \
	ADD_XOR_ROTATE(24, c0, c1, c2, c3, d0, d1, d2, d3, b0, b1, b2, b3); \
	ADD_XOR_ROTATE(16, a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3); \
	ADD_XOR_ROTATE(63, c0, c1, c2, c3, d0, d1, d2, d3, b0, b1, b2, b3)

#define ROWS_GB GB(Z0, Z4, Z8, Z12, Z1, Z5, Z9, Z13, Z2, Z6, Z10, Z14, Z3, Z7, Z11, Z15)

#define COLUMNS_GB GB(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)

// Turns the four words of each half of a register.
#define PERMUTE(how, r0, r1, r2, r3) \
	VPERMQ how, r0, r0; VPERMQ how, r1, r1; VPERMQ how, r2, r2; VPERMQ how, r3, r3

// Moves the words of whole registers to where turnLeft or turnRight says.
#define SCATTER(where, r0, r1, r2, r3) \
	VPERMQ r0, where, r0; VPERMQ r1, where, r1; VPERMQ r2, where, r2; VPERMQ r3, where, r3

// Turns the words of a column by two.
#define SWAP_HALVES(r0, r1, r2, r3) \
	VSHUFI64X2 $0x4E, r0, r0, r0; VSHUFI64X2 $0x4E, r1, r1, r1; VSHUFI64X2 $0x4E, r2, r2, r2; VSHUFI64X2 $0x4E, r3, r3, r3

// P on all rows. Its second half works on diagonals: b is turned by one, c by two, d by three. Turning a, c
// and d against b instead is the same, and b, which is computed last, does not have to wait.
#define P_ROWS \
	ROWS_GB; \
	PERMUTE($0x93, Z0, Z4, Z8, Z12); \
	PERMUTE($0x4E, Z3, Z7, Z11, Z15); \
	PERMUTE($0x39, Z2, Z6, Z10, Z14); \
	ROWS_GB; \
	PERMUTE($0x39, Z0, Z4, Z8, Z12); \
	PERMUTE($0x4E, Z3, Z7, Z11, Z15); \
	PERMUTE($0x93, Z2, Z6, Z10, Z14)

// P on all columns, in the same way.
#define P_COLUMNS \
	COLUMNS_GB; \
	SCATTER(Z21, Z0, Z1, Z2, Z3); \
	SWAP_HALVES(Z12, Z13, Z14, Z15); \
	SCATTER(Z20, Z8, Z9, Z10, Z11); \
	COLUMNS_GB; \
	SCATTER(Z20, Z0, Z1, Z2, Z3); \
	SWAP_HALVES(Z12, Z13, Z14, Z15); \
	SCATTER(Z21, Z8, Z9, Z10, Z11)

// R = previous ^ reference (section 3.5), a register at a time.
#define LOAD(i, r) \
	VMOVDQU64 (i*64)(BX), r; VPXORQ (i*64)(CX), r, r

#define PREFETCH(i) PREFETCHT1 (i*64)(DX)

// out = Z ^ R, of which R is computed again. Ternary logic 0x96 is the exclusive-or of three.
#define STORE(i, r) \
	VMOVDQU64 (i*64)(BX), Z16; VPTERNLOGQ $0x96, (i*64)(CX), Z16, r; VMOVDQU64 r, (i*64)(AX)

// out = out ^ Z ^ R (section 3.2, step 6).
#define STORE_XOR(i, r) \
	VMOVDQU64 (i*64)(BX), Z16; VPXORQ (i*64)(AX), r, r; VPTERNLOGQ $0x96, (i*64)(CX), Z16, r; VMOVDQU64 r, (i*64)(AX)

#define ALL(DO) \
	DO(0, Z0); DO(1, Z1); DO(2, Z2); DO(3, Z3); DO(4, Z4); DO(5, Z5); DO(6, Z6); DO(7, Z7); \
	DO(8, Z8); DO(9, Z9); DO(10, Z10); DO(11, Z11); DO(12, Z12); DO(13, Z13); DO(14, Z14); DO(15, Z15)

#define ARGUMENTS \
	MOVQ out+0(FP), AX; MOVQ previous+8(FP), BX; MOVQ reference+16(FP), CX; MOVQ ahead+24(FP), DX

#define PREFETCH_ALL \
	PREFETCH(0); PREFETCH(1); PREFETCH(2); PREFETCH(3); PREFETCH(4); PREFETCH(5); PREFETCH(6); PREFETCH(7); \
	PREFETCH(8); PREFETCH(9); PREFETCH(10); PREFETCH(11); PREFETCH(12); PREFETCH(13); PREFETCH(14); PREFETCH(15)

#define P \
	VMOVDQU64 turnLeft<>(SB), Z20; \
	VMOVDQU64 turnRight<>(SB), Z21; \
	P_ROWS; \
	P_COLUMNS

// func compressAVX512(out, previous, reference, ahead, scratch *block)
TEXT ·compressAVX512(SB), NOSPLIT, $0-40
	ARGUMENTS
	ALL(LOAD)
	PREFETCH_ALL
	P
	ALL(STORE)
	VZEROUPPER
	RET

// func compressXORAVX512(out, previous, reference, ahead, scratch *block)
TEXT ·compressXORAVX512(SB), NOSPLIT, $0-40
	ARGUMENTS
	ALL(LOAD)
	PREFETCH_ALL
	P
	ALL(STORE_XOR)
	VZEROUPPER
	RET

// func clearRegistersAVX512(): leaves no word of a block in a register.
TEXT ·clearRegistersAVX512(SB), NOSPLIT, $0-0
	VZEROALL
	VMOVDQA64 Z0, Z16
	VMOVDQA64 Z0, Z17
	VMOVDQA64 Z0, Z18
	VMOVDQA64 Z0, Z19
	RET
