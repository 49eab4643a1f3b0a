# SPDX-License-Identifier: GPL-2.0
# What `suite` prints, as KTAP. A line "# result NAME pass|fail|skip" follows each result: LAVA's monitors need the name
# and the result in one match. splats: an expression for lines of the kernel that are failures; known: the file
# selftests/known, whose failures are shown as skipped.
BEGIN {
	print "KTAP version 1"
	print "# the tests of hmm begin"
	while ((getline line < known) > 0)
		if (line !~ /^#/ && split(line, field, "\t") == 3) {
			program[++count] = "^" field[1] "$"
			what[count] = field[2]
			why[count] = field[3]
		}
}

# expected(TEXT, IS_LOG): which line of known has it as a failure of this program, or 0.
function expected(text, is_log,   i) {
	for (i = 1; i <= count; i++)
		if (raw ~ program[i] && (is_log ? what[i] ~ /^@/ && index(text, substr(what[i], 2)) : text == what[i]))
			return i
	return 0
}

/^@@begin / {
	name = raw = substr($0, 9)
	gsub(/[^A-Za-z0-9_.]+/, "-", name)
	sub(/^-/, "", name)
	splat = failed = skipped = 0
	next
}
/^@@kernel / {
	if ($0 ~ splats && !expected($0, 1))
		splat = 1
	print "# " substr($0, 10)
	next
}
/^@@end / {
	n++
	result = splat ? "fail" : $2 == 0 ? "pass" : $2 == 4 ? "skip" : $2 == 1 && skipped && !failed ? "pass" : "fail"
	print (result == "fail" ? "not ok " : "ok ") n " " name (result == "skip" ? " # SKIP" : "")
	print "# result " name " " result
	next
}
/^ *not ok [0-9]+ / {
	test = $0
	sub(/^ *not ok [0-9]+ (- )?/, "", test)
	sub(/ *#.*/, "", test)
	if (i = expected(test, 0)) {
		skipped++
		sub(/not ok/, "ok")
		$0 = $0 " # SKIP " why[i]
	} else {
		failed++
	}
}
/./ { print "  " $0 }
END { print "1.." n; print "# the tests of hmm end" }
