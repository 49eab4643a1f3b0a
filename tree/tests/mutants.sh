#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The mutants that selftests/mutants/mutate.py makes of a small file, and what selftests/mutants/score makes of a test that
# catches some of them.
source "$(dirname "$0")/tap.sh.inc"

unset FILES COUNT SEED STAGES KEEP DURATION ARGS CC
root=$TMP/root
mkdir -p "$root"/{tree,c/mm/hmm,selftests/mutants,selftests/userland}
cp "$ROOT/tree/lib.sh" "$root/tree"
cp "$ROOT"/selftests/mutants/{score,mutate.py} "$root/selftests/mutants"
export BUILD=$TMP/build
small=$root/c/mm/hmm/small.c

cat >"$small" <<'@@'
#include "small.h"

/* if (a < b) return -EINVAL; in a comment */
int small_sum(int a, int b)
{
	static const int flags = SMALL_A | SMALL_B;

	lockdep_assert(a);
	small_take();
	if (unlikely(a < 0 && b))	/* < */
		return -EINVAL;
	small_give("a;");
	return IN_MACRO(a, b) ? a + 1 : flags;
}
@@
cat >"$root/c/mm/hmm/small.h" <<'@@'
enum { EINVAL = 22, SMALL_A = 1, SMALL_B = 2 };
#define unlikely(x) __builtin_expect(!!(x), 0)
#define lockdep_assert(x) ((void)(x))
#define IN_MACRO(a, b) ((a) < (b) && (b) > 1)
#define IS_ENABLED(x) 1
#define PMD_SIZE 512
#define PAGE_SIZE 1

void small_take(void);
void small_give(const char *what);
int small_bits(int bits);

static inline int small_or(int a)
{
	switch (a) {
	case SMALL_A | SMALL_B:
		return PMD_SIZE;
	}
	return a | SMALL_B;
}
@@

mutants() { "$root/selftests/mutants/mutate.py" "$@" >"$TMP/out" 2>&1; }

mutants "$small" && diff - "$TMP/out" >"$TMP/diff" <<'@@'
small.c:small_sum:call:1	9	small_take(); -> ;
small.c:small_sum:ignore:1	10	if (unlikely(a < 0 && b)) return -EINVAL; -> ;
small.c:small_sum:negate:1	10	unlikely(a < 0 && b) -> !(unlikely(a < 0 && b))
small.c:small_sum:less:1	10	a < 0 -> a <= 0
small.c:small_sum:logic:1	10	a < 0 && b -> (a < 0) || (b)
small.c:small_sum:zero:1	11	-EINVAL -> 0
small.c:small_sum:call:2	12	small_give("a;"); -> ;
small.c:small_sum:negate:2	13	IN_MACRO(a, b) -> !(IN_MACRO(a, b))
small.c:small_sum:border:1	13	a + 1 -> a
@@
verdict "conditions, also in a macro's arguments; not its body, comments, strings, assertions, static data"
cat >"$TMP/rest.c" <<'@@'
#include "small.h"

int small_or_not(int a, int nr)
{
	small_take();
	a |= small_bits(1 | 2 | a);
	small_bits(a);
	for (int i = 0; i <= nr - 1; i++)
		small_give("x");
	if (a) {
		small_take();
		goto out;
	}
	if (IS_ENABLED(SMALL) && a)
		return 0;
	if (a >= PMD_SIZE || nr)
		small_bits(1);
	else
		small_bits(2);
out:
	return a;
}
@@
mutants "$TMP/rest.c" -I "$root/c/mm/hmm" && diff - <(cut -f 1,3 "$TMP/out") >"$TMP/diff" <<'@@'
rest.c:small_or_not:call:1	small_take(); -> ;
rest.c:small_or_not:swap:1	small_take(); a |= small_bits(1 | 2 | a); -> a |= small_bits(1 | 2 | a); small_take();
rest.c:small_or_not:swap:2	a |= small_bits(1 | 2 | a); small_bits(a); -> small_bits(a); a |= small_bits(1 | 2 | a);
rest.c:small_or_not:flag:1	1 | 2 -> 1
rest.c:small_or_not:flag:2	1 | 2 -> 2
rest.c:small_or_not:flag:3	1 | 2 | a -> 1 | 2
rest.c:small_or_not:call:2	small_bits(a); -> ;
rest.c:small_or_not:less:1	i <= nr - 1 -> i < nr - 1
rest.c:small_or_not:border:1	nr - 1 -> nr
rest.c:small_or_not:call:3	small_give("x"); -> ;
rest.c:small_or_not:ignore:1	if (a) { small_take(); goto out; } -> ;
rest.c:small_or_not:negate:1	a -> !(a)
rest.c:small_or_not:call:4	small_take(); -> ;
rest.c:small_or_not:less:2	a >= PMD_SIZE -> a > PMD_SIZE
rest.c:small_or_not:logic:1	a >= PMD_SIZE || nr -> (a >= PMD_SIZE) && (nr)
rest.c:small_or_not:negate:2	a >= PMD_SIZE || nr -> !(a >= PMD_SIZE || nr)
rest.c:small_or_not:border:2	PMD_SIZE -> PAGE_SIZE
rest.c:small_or_not:call:5	small_bits(1); -> ;
rest.c:small_or_not:call:6	small_bits(2); -> ;
rest.c:small_or_not:zero:1	a -> 0
@@
verdict "calls, neighbours, flags, borders"
echo 'int broken(int a) { return a +; }' >"$TMP/broken.c"
refused "broken.c:1: expected expression" "$root/selftests/mutants/mutate.py" "$TMP/broken.c"
verdict "a file with an error"
refused "no-such.c: clang cannot read it" "$root/selftests/mutants/mutate.py" "$TMP/no-such.c"
verdict "no file"

# What stands in for the programs of selftests/userland.
cat >"$root/selftests/userland/run" <<'@@'
#!/bin/bash
# run -b SOURCE PROGRAM
source "$(dirname "$0")/../../tree/lib.sh"
CC=${CC:-clang$(llvm_suffix)} out=$BUILD/userland/$3
[[ -d $2 ]] || cp -r "$ROOT/c" "$2"
mkdir -p "$out"
"$CC" -O1 -c -o "$out/small.o" "$2/mm/hmm/small.c"
"$CC" -I "$2/mm/hmm" -o "$out/program" "$ROOT/selftests/userland/test.c" "$out/small.o"
@@
chmod +x "$root/selftests/userland/run"
cat >"$root/selftests/userland/test.c" <<'@@'
#include <stdio.h>
#include "small.h"

int small_sum(int a, int b);
static int taken;

void small_take(void) { taken++; }
void small_give(const char *what) { taken -= !what[2]; }
int small_bits(int bits) { return bits; }

int main(int argc, char **argv)
{
	(void)argv;
	if (small_sum(1, 3) != 2 || taken)
		return printf("# the sum is wrong\n") * 0 + 1;
	if (argc > 1 && small_sum(-1, 1) != -EINVAL)
		for (;;)
			;
	return 0;
}
@@
printf 'random\tall\n' >"$root/selftests/mutants/programs"
equivalent=$root/selftests/mutants/equivalent
: >"$equivalent"

# score STATUS [NAME...]: a run with that exit status.
score() {
	local expected=$1 status=0
	shift
	STAGES=${STAGES:-userland} "$root/selftests/mutants/score" "$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	[[ $status == "$expected" ]] || { cat "$TMP/err" >>"$TMP/out"; return 1; }
}
has() { grep -qxF -- "$1" "$TMP/out"; }

sum='small.c:small_sum'
score 0 "$sum:call:1" "$sum:call:2" && has "ok 1 $sum:call:1 # userland random: the sum is wrong" && has '1..3'
verdict "mutants that the test notices"
! grep -q 'not ok' "$TMP/out" && grep -qE '^# all +2 +2 +2 +0 +0 +0 +100.0 %$' "$TMP/out"
verdict "the table has the score"
score 1 "$sum:less:1" && has "not ok 1 $sum:less:1 is not caught by userland"
verdict "one that it does not notice is a failure"
has "# small.c:10: a < 0 -> a <= 0" && grep -qE '^# less +1 +1 +0 +0 +0 +1 +0.0 %$' "$TMP/out"
verdict "it is shown with its line"
score 0 "$sum:zero:1" && grep -q "^ok 1 $sum:zero:1 # userland random: no end after 1[0-9] s" "$TMP/out"
verdict "one that does not end"
score 0 -h && [[ $(head -n 1 "$TMP/out") == score* ]]
verdict "help"
score 1 'small.h:small_or:*' && grep -qE '^# flag +4 +2 +0 +0 +0 +2 ' "$TMP/out"
verdict "what does not compile does not count: a case needs a constant"
score 0 "$sum:call:1" "$sum:call:2" && ! grep -q '^\[1/' "$TMP/err" && has "ok 1 $sum:call:1 # userland random: the sum is wrong"
verdict "what was run is not run again"
score 0 -r "$sum:call:1" "$sum:border:1" && ! grep -q '^\[1/' "$TMP/err" && has "ok 2 $sum:border:1 # SKIP not run yet: userland" &&
	grep -qE '^# all +2 +2 +1 +0 +1 +0 +100.0 %$' "$TMP/out"
verdict "a report of what was run"
echo '/* another version */' >>"$root/selftests/userland/test.c"
KEEP=1 score 0 "$sum:call:1" && ! grep -q '^\[1/' "$TMP/err" && score 0 "$sum:call:1" && grep -q '^\[1/1\]' "$TMP/err"
verdict "but with other tests; KEEP=1 keeps what was caught"
KEEP=1 score 1 "$sum:less:1" && grep -q '^\[1/1\]' "$TMP/err"
verdict "KEEP=1 runs again what was not caught"
printf '%s\t%s\t%s\n' "$sum:less:1" 'a < 0 -> a <= 0' 'no caller passes 0' >"$equivalent"
score 0 "$sum:less:1" && has "ok 1 $sum:less:1 # SKIP no test can catch it: no caller passes 0" && grep -qE '^# all +1 +1 +0 +1 +0 +0 +-$' "$TMP/out"
verdict "one that no test can catch is explained, and does not count"
printf '%s\t%s\t%s\n' "$sum:call:1" 'small_take(); -> ;' 'it does nothing' >"$equivalent"
score 1 "$sum:call:1" && grep -qxF "# $sum:call:1 is listed, and caught by random: the sum is wrong" "$TMP/out"
verdict "one that is explained and caught all the same"
printf '%s\t%s\t%s\n' "$sum:less:2" 'a < 0 -> a <= 0' 'no caller passes 0' >"$equivalent"
score 1 "$sum:call:1" && has "# $sum:less:2: there is no such mutant" && grep -q '^not ok 2 each row' "$TMP/out"
verdict "a row whose mutant does not exist"
score 1 -n && has "# $sum:less:2: there is no such mutant" && has '1..1' && : >"$equivalent" && score 0 -n && has 'ok 1 each row of selftests/mutants/equivalent fits'
verdict "the rows alone"
printf '%s\t%s\t%s\n' "$sum:less:1" 'a < 1 -> a <= 1' 'no caller passes 0' >"$equivalent"
score 1 "$sum:call:1" && has "# $sum:less:1 is another change now: a < 0 -> a <= 0"
verdict "a row whose code has changed"
printf '%s\t%s\n' "$sum:less:1" 'a < 0 -> a <= 0' >"$equivalent"
score 1 "$sum:call:1" && has "# $sum:less:1: a row has a name, the change and the reason"
verdict "a row without a reason"
: >"$equivalent"

list() { STAGES=userland "$root/selftests/mutants/score" -l 2>/dev/null | cut -f 1; }
COUNT=4 list >"$TMP/four" && [[ $(wc -l <"$TMP/four") == 4 ]] && COUNT=4 list | cmp -s - "$TMP/four" &&
	[[ $(COUNT=6 list | grep -cxFf "$TMP/four") == 4 ]] && ! COUNT=4 SEED=2 list | cmp -s - "$TMP/four"
verdict "COUNT and SEED choose the same ones each time"
[[ $(COUNT=all FILES='*.c' list | wc -l) == 9 ]]
verdict "FILES"
refused "there is no mutant $sum:less:9; score -l lists them" env STAGES=userland "$root/selftests/mutants/score" "$sum:less:9"
verdict "an unknown name"
refused "FILES=large.c: no mutant is in such a file" env STAGES=userland FILES=large.c "$root/selftests/mutants/score"
verdict "an unknown file"
refused "COUNT=few: give a number" env STAGES=userland COUNT=few "$root/selftests/mutants/score"
verdict "a COUNT that is no number"
refused "STAGES=sim: there are userland uml vm" env STAGES=sim "$root/selftests/mutants/score"
verdict "an unknown stage"
refused "-x is no option" env STAGES=userland "$root/selftests/mutants/score" -x
verdict "an unknown option"
sed -i 's/!= 2/!= 3/' "$root/selftests/userland/test.c"
score 1 "$sum:call:1" && grep -qx 'tandem: random fails without a mutant: # the sum is wrong' "$TMP/err"
verdict "a test that fails without a mutant"
sed -i 's/return IN_MACRO/return ) IN_MACRO/' "$small"
score 1 && grep -q '^tandem: mm/hmm/small.c:13: expected expression' "$TMP/err"
verdict "code that does not compile"

finish
