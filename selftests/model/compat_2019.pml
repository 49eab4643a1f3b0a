/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of the validity of a range of API year 2019 (c/mm/hmm/compat/process.c and
 * hmm_2019.c): one page, invalidations that replace it, and a driver that walks and
 * maps it. The device must never map a page that the process does not map, except
 * between the record of an invalidation and the driver's callback for it.
 *
 * BAD_DRIVER_FIRST: the driver is called before the invalidation is recorded, as an
 * interval notifier would be.
 * BAD_PLAIN_BOOL: the end of an invalidation makes the range valid, as in Linux 5.4.
 * BAD_SETTLE_ALWAYS: the range becomes valid during an invalidation.
 * BAD_NOT_TOUCHED: an invalidation does not make the range invalid.
 */
#define INVALIDATIONS 2
#define FAULTS 2

byte pte = 1;		/* the page that the process maps */
byte next_page = 2;
byte dev;		/* the page that the device maps; 0: none */

/* Under ranges_lock. */
bool valid;
byte recorded;		/* invalidations that are recorded */

bool locked;		/* the driver's update lock */
byte before_callback;	/* invalidations whose callback has not returned */

inline lock() { atomic { !locked; locked = true } }
inline unlock() { locked = false }

inline record()
{
	atomic {
		recorded++;
		before_callback++;
#ifndef BAD_NOT_TOUCHED
		valid = false
#endif
	}
}

inline callback()
{
	lock();
	dev = 0;
	unlock()
}

proctype invalidation()
{
	byte old;

#ifdef BAD_DRIVER_FIRST
	atomic { valid = false; before_callback++ };
	callback();
	before_callback--;
	record();
	before_callback--;
#else
	record();
	callback();
	before_callback--;
#endif
	atomic { old = pte; pte = next_page; next_page++ };
	assert(dev != old);
	atomic {
		recorded--;
#ifdef BAD_PLAIN_BOOL
		valid = (recorded == 0)
#endif
	}
}

inline wait_until_valid()
{
#ifdef BAD_SETTLE_ALWAYS
	valid = true
#else
	atomic { (valid || recorded == 0); valid = true }
#endif
}

proctype driver()
{
	byte faults, entry;

	do
	:: faults == FAULTS -> break
	:: else ->
		faults++;
		wait_until_valid();
		entry = pte;
		lock();
		if
		:: valid ->
			dev = entry;
			assert(dev == pte || before_callback > 0)
		:: else -> skip
		fi;
		unlock()
	od
}

init
{
	byte i;

	atomic {
		run driver();
		for (i : 1 .. INVALIDATIONS) {
			run invalidation()
		}
	}
}
