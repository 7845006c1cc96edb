#include "textflag.h"

// G, the compression function of RFC 9106, section 3.5, with AVX2.
//
// The registers hold four words, and there are sixteen of them: a quarter of a block. So P (section 3.6)
// is computed for two rows at a time, with the block in scratch, and then for two columns (of two words each)
// at a time:
//
//	         a       b       c       d
//	rows     Y0 Y1   Y2 Y3   Y4 Y5   Y6 Y7    the even register of the upper row, the odd one of the lower row
//	columns  Y0 Y1   Y2 Y3   Y4 Y5   Y6 Y7    the even register has words 0 and 1 of both columns, the odd one 2 and 3
//
// Blocks lie in memory in an order that makes each of these a plain load (see position in block.go).
//
// Y8 to Y11 are scratch. Y14 and Y15 hold right24 and right16.
// AX is out, BX previous, CX reference, DX the block ahead, DI scratch.

// Byte orders that rotate each word to the right by 24 and by 16 bits.
DATA right24<>+0(SB)/8, $0x0201000706050403
DATA right24<>+8(SB)/8, $0x0a09080f0e0d0c0b
DATA right24<>+16(SB)/8, $0x0201000706050403
DATA right24<>+24(SB)/8, $0x0a09080f0e0d0c0b
GLOBL right24<>(SB), RODATA|NOPTR, $32

DATA right16<>+0(SB)/8, $0x0100070605040302
DATA right16<>+8(SB)/8, $0x09080f0e0d0c0b0a
DATA right16<>+16(SB)/8, $0x0100070605040302
DATA right16<>+24(SB)/8, $0x09080f0e0d0c0b0a
GLOBL right16<>(SB), RODATA|NOPTR, $32

// In two registers: a = a + b + 2*lo(a)*lo(b); d = d ^ a.
#define ADD_XOR(a0, a1, b0, b1, d0, d1) \
	VPMULUDQ a0, b0, Y8; VPMULUDQ a1, b1, Y9; \
	VPADDQ b0, a0, a0;   VPADDQ b1, a1, a1; \
	VPADDQ Y8, Y8, Y8;   VPADDQ Y9, Y9, Y9; \
	VPADDQ Y8, a0, a0;   VPADDQ Y9, a1, a1; \
	VPXOR a0, d0, d0;    VPXOR a1, d1, d1

// GB of section 3.6: four times the above, and d or b rotated by 32, 24, 16 and 63 bits.
#define GB(a0, a1, b0, b1, c0, c1, d0, d1) \
	ADD_XOR(a0, a1, b0, b1, d0, d1); \
	VPSHUFD $0xB1, d0, d0; VPSHUFD $0xB1, d1, d1; \
	ADD_XOR(c0, c1, d0, d1, b0, b1); \
	VPSHUFB Y14, b0, b0; VPSHUFB Y14, b1, b1; \
	ADD_XOR(a0, a1, b0, b1, d0, d1); \
	VPSHUFB Y15, d0, d0; VPSHUFB Y15, d1, d1; \
	ADD_XOR(c0, c1, d0, d1, b0, b1); \
	VPADDQ b0, b0, Y8; VPADDQ b1, b1, Y9; \
	VPSRLQ $63, b0, b0; VPSRLQ $63, b1, b1; \
	VPOR Y8, b0, b0; VPOR Y9, b1, b1

// P on two rows. Its second half works on diagonals: b is turned by one, c by two, d by three. Turning a, c
// and d against b instead is the same, and b, which is computed last, does not have to wait.
#define P_ROW_PAIR \
	GB(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7); \
	VPERMQ $0x93, Y0, Y0; VPERMQ $0x93, Y1, Y1; \
	VPERMQ $0x4E, Y6, Y6; VPERMQ $0x4E, Y7, Y7; \
	VPERMQ $0x39, Y4, Y4; VPERMQ $0x39, Y5, Y5; \
	GB(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7); \
	VPERMQ $0x39, Y0, Y0; VPERMQ $0x39, Y1, Y1; \
	VPERMQ $0x4E, Y6, Y6; VPERMQ $0x4E, Y7, Y7; \
	VPERMQ $0x93, Y4, Y4; VPERMQ $0x93, Y5, Y5

// P on two columns, in the same way. To turn d by two is to exchange Y6 and Y7.
#define P_COLUMN_PAIR \
	GB(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7); \
	VPALIGNR $8, Y1, Y0, Y10; VPALIGNR $8, Y0, Y1, Y1; \
	VPALIGNR $8, Y4, Y5, Y11; VPALIGNR $8, Y5, Y4, Y5; \
	GB(Y10, Y1, Y2, Y3, Y11, Y5, Y7, Y6); \
	VPALIGNR $8, Y10, Y1, Y0; VPALIGNR $8, Y1, Y10, Y1; \
	VPALIGNR $8, Y5, Y11, Y4; VPALIGNR $8, Y11, Y5, Y5

// R = previous ^ reference (section 3.5), a register at a time.
#define LOAD(i, r) \
	VMOVDQU (i)(BX), r; VPXOR (i)(CX), r, r

#define SAVE(i, r) VMOVDQU r, (i)(DI)

#define RESTORE(i, r) VMOVDQU (i)(DI), r

// out = Z ^ R, of which R is computed again.
#define STORE(i, r) \
	VPXOR (i)(BX), r, r; VPXOR (i)(CX), r, r; VMOVDQU r, (i)(AX)

// out = out ^ Z ^ R (section 3.2, step 6).
#define STORE_XOR(i, r) \
	VPXOR (i)(BX), r, r; VPXOR (i)(CX), r, r; VPXOR (i)(AX), r, r; VMOVDQU r, (i)(AX)

#define ROW_PAIR(i, DO) \
	DO(i, Y0); DO(i+32, Y1); DO(i+64, Y2); DO(i+96, Y3); DO(i+128, Y4); DO(i+160, Y5); DO(i+192, Y6); DO(i+224, Y7)

#define COLUMN_PAIR(i, DO) \
	DO(i, Y0); DO(i+32, Y1); DO(i+256, Y2); DO(i+288, Y3); DO(i+512, Y4); DO(i+544, Y5); DO(i+768, Y6); DO(i+800, Y7)

#define ARGUMENTS \
	MOVQ out+0(FP), AX; MOVQ previous+8(FP), BX; MOVQ reference+16(FP), CX; MOVQ ahead+24(FP), DX; MOVQ scratch+32(FP), DI; \
	VMOVDQU right24<>(SB), Y14; VMOVDQU right16<>(SB), Y15

#define PREFETCH(i) PREFETCHT1 (i*64)(DX)

#define PREFETCH_ALL \
	PREFETCH(0); PREFETCH(1); PREFETCH(2); PREFETCH(3); PREFETCH(4); PREFETCH(5); PREFETCH(6); PREFETCH(7); \
	PREFETCH(8); PREFETCH(9); PREFETCH(10); PREFETCH(11); PREFETCH(12); PREFETCH(13); PREFETCH(14); PREFETCH(15)

#define ROWS(i) \
	ROW_PAIR(i, LOAD); \
	P_ROW_PAIR; \
	ROW_PAIR(i, SAVE)

#define COLUMNS(i, FINISH) \
	COLUMN_PAIR(i, RESTORE); \
	P_COLUMN_PAIR; \
	COLUMN_PAIR(i, FINISH)

// func compressAVX2(out, previous, reference, ahead, scratch *block)
TEXT ·compressAVX2(SB), NOSPLIT, $0-40
	ARGUMENTS
	PREFETCH_ALL
	ROWS(0)
	ROWS(256)
	ROWS(512)
	ROWS(768)
	COLUMNS(0, STORE)
	COLUMNS(64, STORE)
	COLUMNS(128, STORE)
	COLUMNS(192, STORE)
	VZEROUPPER
	RET

// func compressXORAVX2(out, previous, reference, ahead, scratch *block)
TEXT ·compressXORAVX2(SB), NOSPLIT, $0-40
	ARGUMENTS
	PREFETCH_ALL
	ROWS(0)
	ROWS(256)
	ROWS(512)
	ROWS(768)
	COLUMNS(0, STORE_XOR)
	COLUMNS(64, STORE_XOR)
	COLUMNS(128, STORE_XOR)
	COLUMNS(192, STORE_XOR)
	VZEROUPPER
	RET

// func clearRegistersAVX2(): leaves no word of a block in a register.
TEXT ·clearRegistersAVX2(SB), NOSPLIT, $0-0
	VZEROALL
	RET

// func wipeBlocksAVX2(first *block, count int): zeros past the caches, a block of 1 KiB at a time.
TEXT ·wipeBlocksAVX2(SB), NOSPLIT, $0-16
	MOVQ first+0(FP), AX
	MOVQ count+8(FP), CX
	VPXOR Y0, Y0, Y0
	JMP  check

block:
	MOVQ $(1024/128), DX

line:
	VMOVNTDQ Y0, (AX)
	VMOVNTDQ Y0, 32(AX)
	VMOVNTDQ Y0, 64(AX)
	VMOVNTDQ Y0, 96(AX)
	ADDQ $128, AX
	DECQ DX
	JNZ  line
	DECQ CX

check:
	TESTQ CX, CX
	JNZ  block
	SFENCE
	VZEROUPPER
	RET
