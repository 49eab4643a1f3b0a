# SPDX-License-Identifier: GPL-2.0
# What `suite` prints, as KTAP. A line "# result NAME pass|fail|skip" follows each result: LAVA's monitors need the name
# and the result in one match. splats: an expression for lines of the kernel that are failures.
BEGIN { print "KTAP version 1"; print "# the tests of hmm begin" }
/^@@begin / { name = substr($0, 9); gsub(/[^A-Za-z0-9_.]+/, "-", name); sub(/^-/, "", name); bad = 0; next }
/^@@kernel / { if ($0 ~ splats) bad = 1; print "# " substr($0, 10); next }
/^@@end / {
	n++
	result = bad ? "fail" : $2 == 0 ? "pass" : $2 == 4 ? "skip" : "fail"
	print (result == "fail" ? "not ok " : "ok ") n " " name (result == "skip" ? " # SKIP" : "")
	print "# result " name " " result
	next
}
/./ { print "  " $0 }
END { print "1.." n; print "# the tests of hmm end" }
