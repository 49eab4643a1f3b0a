/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of mirrors (mm/hmm/interval.c, mm/hmm/section.c; "Protocol" in
 * mirror.h) as a model for Spin. Steps have the names that they have
 * in the code.
 *
 * One address with one page; frames are numbers, 0 is none. Two mirrors of one
 * owner, A and B, have an interval each that covers the address. What is kept of
 * the kernel: the sequences of mmu_interval_notifier.c, the update lock, folio
 * locks, and that a PTE is changed between the start and the end of an
 * invalidation.
 *
 * Safety: when a frame is freed no device maps it, and no device maps a frame
 * that is free. A page that one device has exclusively is mapped by no other.
 * No callback runs after release, nor while it runs. The update lock is not
 * taken after the range was removed.
 *
 * With PASSES the driver has invalidate_finish, and device addresses: invalidate clears
 * the device's page table, but the device can use the frame from its TLB until
 * invalidate_finish has waited for the flush. No address is taken away that it can use,
 * no frame is freed that it can use or that has an address, no section enters between
 * the passes, and no callback uses a range that was freed after its removal. Removals
 * that are deferred are ended by a work item or by the end of the mirror, and
 * hmm_mirror_synchronize() has to wait for either.
 *
 * With ADD the addresses of A are added again, as B, while A's removal is deferred. Both
 * have a lock of their own and one device.
 *
 * Liveness: invalidations are finitely many here, so every process must end:
 * no deadlock (invalid end state), no endless round (non-progress cycle, under
 * weak fairness).
 *
 * Which processes run is chosen by macros, see the end of this file. Each BAD_*
 * is a fault that was made, or nearly, and that must be found.
 */

#ifndef INVALIDATIONS
#define INVALIDATIONS 2
#endif
#ifndef FRAMES
#define FRAMES 3
#endif

#define A 0
#define B 1
#define NR_IVS 2
#define NR_TASKS 6
#define MIGRATION_ENTRY 15

mtype = { CLEAR, MIGRATE, EXCLUSIVE, RELEASE };

/* struct hmm_interval and the device behind it. */
typedef interval {
	byte seq;		/* interval_sub->invalidate_seq */
	bool subscribed;
	bool listed;
	bool ending;		/* HMM_INTERVAL_ENDING */
	bool dead;
	bool released;
	byte nr_active;		/* sections from lock to unlock, and 1 */
	byte lock;		/* the update lock: who holds it, or 0 */
	bool lock_gone;		/* the driver has freed it */
	byte device;		/* the frame that the device maps, or 0 */
#ifdef PASSES
	byte tlb;		/* the frame that it can use until the flush has ended */
	byte dma;		/* the frame that has a device address */
	bool used;		/* second_pass.used */
	bool range;		/* hmm_interval.range, cleared by hmm_interval_detach() */
	bool deferred;		/* HMM_INTERVAL_DEFERRED */
	bool range_freed;
	bool of_callback;	/* inv.range in a callback */
#endif
};
interval iv[NR_IVS];

/* subscriptions->invalidate_seq, which is odd during invalidations. */
byte inv_seq = 2;
byte inv_active;

/* The PTE, and who may use a frame. */
byte pte;
bool pte_exclusive;
byte exclusive_iv;
bool in_use[FRAMES + 1];
byte folio_lock;		/* of the frame in the PTE */

/* struct hmm_mover, one for each task. */
bool mover_on[NR_TASKS + 1];
byte mover_iv[NR_TASKS + 1];
bool mover_changed[NR_TASKS + 1];

byte mm_users = 1;
bool release_called;
byte in_callback;
bool valid[NR_IVS];		/* for BAD_PLAIN_BOOL */
byte served;			/* a page that user space supplies */
byte cover;			/* for BAD_COVER: readers of the rwsem */
#ifdef PASSES
bool second_pass[NR_IVS];	/* notifiers in finish_passes, of one task at a time */
byte second_pass_of[NR_IVS];
bool removed;			/* hmm_mirror_state.removed: A is the only one in it, ever */
bool work_pending, work_running;
byte ends;			/* a reader of hmm_mirror_ends: 1 while it is one, 2 afterwards */
bool remover_ended;
#endif
#ifdef ADD
byte ranges;			/* hmm_mirror_state.ranges: the interval of the address, or NONE */
bool subscribing;		/* B, when the invalidations that are under way have ended */
byte mmap_readers;
bool mmap_writer;
#define NONE NR_IVS
#endif

/* The device of an interval. */
#ifdef ADD
#define DEV(i) A
#else
#define DEV(i) i
#endif

inline update_lock(i, task) {
	atomic { iv[i].lock == 0 -> iv[i].lock = task }
	assert(!iv[i].lock_gone);
}

inline update_unlock(i) {
	iv[i].lock = 0;
}

/* hmm_mirror_state_release(): by the end of the process or of the mirror. */
inline state_release() {
	atomic {
		if
		:: !release_called ->
			assert(in_callback == 0);
			release_called = true
		:: else
		fi
	}
}

/* The last user of a frame has unmapped it. */
inline free_frame(f) {
	d_step {
		if
		:: f != 0 && f != MIGRATION_ENTRY ->
			assert(iv[A].device != f && iv[B].device != f);
#ifdef PASSES
			assert(iv[A].tlb != f && iv[B].tlb != f);
			assert(iv[A].dma != f && iv[B].dma != f);
#endif
			in_use[f] = false;
		:: else
		fi
	}
}

inline alloc_frame(f) {
	if
	:: !in_use[1] -> f = 1
	:: !in_use[2] -> f = 2
#if FRAMES > 2
	:: !in_use[3] -> f = 3
#endif
	fi;
	in_use[f] = true
}

#ifdef PASSES
/* hmm_interval_call(): the driver begins the flush. */
inline call(i) {
	atomic {
		assert(!release_called);
		in_callback++;
		iv[i].of_callback = iv[i].range
	}
	d_step {
		if
		:: iv[DEV(i)].device != 0 -> iv[DEV(i)].tlb = iv[DEV(i)].device
		:: else
		fi;
		iv[DEV(i)].device = 0
	}
	d_step { assert(!(iv[i].of_callback && iv[i].range_freed)); in_callback-- }
}

/* hmm_interval_call_finish(): the driver waits until it has ended. */
inline call_finish(i) {
	atomic { assert(!release_called); in_callback++ }
	iv[DEV(i)].tlb = 0;
	d_step { assert(!(iv[i].of_callback && iv[i].range_freed)); in_callback-- }
}

/* hmm_mirror_dma_unmap_span() */
inline dma_forget(i) {
	d_step { assert(iv[DEV(i)].device == 0 && iv[DEV(i)].tlb == 0); iv[DEV(i)].dma = 0 }
}

/* hmm_interval_last_pass() */
inline finish(i) {
	if
	:: iv[i].released
	:: else ->
#ifdef BAD_ADDRESSES_FIRST
		dma_forget(i);
		call_finish(i)
#else
		call_finish(i);
		dma_forget(i)
#endif
	fi
}

/* hmm_interval_invalidate_device(): in one pass. */
inline forget(i) {
	if
	:: iv[i].released
	:: else ->
		call(i);
#ifdef BAD_ONE_PASS_HAS_NO_FINISH
		iv[DEV(i)].dma = 0
#else
		finish(i)
#endif
	fi
}
#else
/* hmm_interval_invalidate_device(): the driver's callback. */
inline forget(i) {
	if
#ifndef BAD_RELEASED_IGNORED
	:: iv[i].released
	:: else ->
#else
	:: true ->
#endif
		atomic { assert(!release_called); in_callback++ }
		iv[DEV(i)].device = 0;
		in_callback--
	fi
}
#endif

/* hmm_interval_change_movers(). */
inline change_movers(i, me) {
	d_step {
		t = 1;
		do
		:: t <= NR_TASKS ->
			if
#ifdef BAD_EVERY_MOVER_EXEMPT
			:: mover_on[t] && mover_iv[t] == i && !mover_on[me] ->
#else
			:: mover_on[t] && mover_iv[t] == i && t != me ->
#endif
				mover_changed[t] = true
			:: else
			fi;
			t++
		:: else -> break
		od;
		t = 0
	}
}

/* Whether an interval ignores an event: hmm_interval_is_own_exclusive(). */
#ifdef BAD_EXCLUSIVE_OF_OWNER
#define TAKES(i, event, me) (event == EXCLUSIVE)
#elif defined(BAD_TAKING_MOVES_SEQUENCE)
#define TAKES(i, event, me) (false)
#else
#define TAKES(i, event, me) (event == EXCLUSIVE && mover_on[me] && mover_iv[me] == i)
#endif

#ifdef PASSES
/* hmm_interval_has_two_passes() */
#ifdef BAD_RELEASE_IN_TWO_PASSES
#define TWO_PASSES(i, event, may_block) (may_block && !iv[i].used && !iv[i].released)
#else
#define TWO_PASSES(i, event, may_block) \
	(may_block && event != RELEASE && !iv[i].used && !iv[i].released)
#endif

/* hmm_interval_invalidate_finish(), of those whose first pass this task has made. */
inline invalidate_finish(i, me, cur) {
	if
	:: second_pass[i] && second_pass_of[i] == me ->
		update_lock(i, me);
		second_pass[i] = false;
#ifdef BAD_SEQUENCE_IN_SECOND_PASS
		iv[i].seq = cur;
#endif
#ifndef BAD_RANGE_OF_FIRST_PASS
		iv[i].of_callback = iv[i].range;
#endif
		finish(i);
		iv[i].used = false;
		update_unlock(i)
	:: else
	fi
}

/* mn_itree_finish_pass() */
inline finish_pass(me, cur) {
	invalidate_finish(A, me, cur);
#if defined(TWO) || defined(ADD)
	invalidate_finish(B, me, cur)
#endif
}
#endif

/* hmm_interval_invalidate(). */
inline invalidate(i, event, me, may_block, cur, ok) {
	if
	:: may_block -> update_lock(i, me)
	:: !may_block ->
		atomic {
			if
			:: iv[i].lock == 0 -> iv[i].lock = me
			:: else -> ok = false
			fi
		}
	fi;
	if
	:: ok && iv[i].lock == me ->
		if
		:: TAKES(i, event, me)
		:: else ->
#ifdef BAD_SEQUENCE_IN_SECOND_PASS
			call(i);
			d_step {
				iv[i].used = true;
				second_pass[i] = true;
				second_pass_of[i] = me
			}
#elif defined(BAD_SEQUENCE_AFTER)
			forget(i);
			update_unlock(i);
			iv[i].seq = cur;
			update_lock(i, me);
#else
			iv[i].seq = cur;
#ifdef BAD_PLAIN_BOOL
			valid[i] = false;
#endif
			change_movers(i, me);
#ifdef PASSES
			if
			:: TWO_PASSES(i, event, may_block) ->
				call(i);
				d_step {
					iv[i].used = true;
					second_pass[i] = true;
					second_pass_of[i] = me
				}
			:: else -> forget(i)
			fi;
#else
			forget(i);
#endif
#endif
			if
			:: event == RELEASE ->
				d_step { iv[i].dead = true; iv[i].released = true }
			:: else
			fi
		fi;
		update_unlock(i)
	:: else
#ifdef BAD_REFUSAL_IGNORED
		; ok = true
#endif
	fi
}

/* mn_itree_invalidate() */
inline inv_start(event, me, may_block, cur, ok) {
	d_step {
		inv_active++;
		inv_seq = inv_seq | 1;
		cur = inv_seq;
		ok = true
	}
	if
	:: iv[A].subscribed -> invalidate(A, event, me, may_block, cur, ok)
	:: else
	fi;
#if defined(TWO) || defined(ADD)
	if
	:: ok && iv[B].subscribed -> invalidate(B, event, me, may_block, cur, ok)
	:: else
	fi;
#endif
#ifdef PASSES
	if
	/* The mirror's own notifier is the last one. */
	:: event == RELEASE -> state_release()
	:: else
	fi;
#ifndef BAD_RETURNS_BETWEEN_PASSES
	finish_pass(me, cur);
#endif
#endif
	cur = 0
}

/* mn_itree_inv_end() */
inline inv_end() {
	d_step {
		inv_active--;
		if
		:: inv_active == 0 -> inv_seq++
#ifdef ADD
			; iv[B].subscribed = iv[B].subscribed || subscribing;
			subscribing = false
#endif
#ifdef BAD_PLAIN_BOOL
			; valid[A] = true; valid[B] = true
#endif
		:: else
		fi
	}
}

/* mmu_interval_read_begin() */
inline begin(i, s) {
#ifdef BAD_PLAIN_BOOL
	valid[i];
#endif
	s = iv[i].seq;
	inv_seq != s
}

#ifdef BAD_PLAIN_BOOL
#define CHANGED(i, s) (!valid[i])
#else
#define CHANGED(i, s) (iv[i].seq != s)
#endif

/* The CPU takes an exclusive page back: remove_device_exclusive_entry(). */
inline restore_exclusive(me, cur, ok) {
	atomic { folio_lock == 0 -> folio_lock = me }
	if
	:: pte_exclusive ->
		inv_start(CLEAR, me, true, cur, ok);
		pte_exclusive = false;
		inv_end()
	:: else
	fi;
	folio_lock = 0
}

/* handle_mm_fault(), and the walk that follows it. */
inline fault(me, f, cur, ok) {
	do
	:: pte_exclusive -> restore_exclusive(me, cur, ok)
	:: atomic { !pte_exclusive && pte != MIGRATION_ENTRY ->
			if
			:: pte == 0 -> alloc_frame(f); pte = f
			:: else -> f = pte
			fi
		}
		break
	od
}

#ifdef ADD
inline mmap_read_lock() {
	atomic { !mmap_writer -> mmap_readers++ }
}

inline mmap_read_unlock() {
	mmap_readers--
}

inline mmap_write_lock() {
	atomic { !mmap_writer && mmap_readers == 0 -> mmap_writer = true }
}

inline mmap_write_unlock() {
	mmap_writer = false
}
#endif

/* hmm_interval_enter(): lock, and fail if the range was removed. */
inline enter(i, me, entered) {
	atomic {
		entered = false;
		if
		:: iv[i].nr_active == 0
#ifdef BAD_NO_DRAIN
		:: else -> entered = true
#else
		:: else -> iv[i].nr_active++; entered = true
#endif
		fi
	}
	if
	:: entered ->
		update_lock(i, me);
		if
#ifndef BAD_DEAD_NOT_CHECKED
		:: iv[i].dead -> leave(i); entered = false
#endif
		:: else
		fi
	:: else
	fi
}

inline leave(i) {
	update_unlock(i);
#ifndef BAD_NO_DRAIN
	iv[i].nr_active--
#endif
}

/* The driver maps the page. */
inline inside(i, f) {
	d_step {
		assert(in_use[f]);
		assert(!(pte_exclusive && pte == f && exclusive_iv != i));
#ifdef PASSES
		assert(!iv[i].used);
		iv[DEV(i)].dma = f;
#endif
		iv[DEV(i)].device = f
	}
}

/* Look up, with a reference to the process: false if there is nothing to do. */
inline look_up(i, found) {
	atomic {
		found = false;
		if
		:: mm_users > 0 && iv[i].listed && !iv[i].dead -> mm_users++; found = true
		:: else
		fi
	}
}

inline put_mm() {
	mm_users--
}

/* A section that reads or writes. */
proctype section(byte me; byte i) {
	byte s, f, cur, t;
	bool found, entered, ok;
#ifdef BAD_DRAIN_WAITS_FOR_FAULTS
	bool counted;
#endif

	look_up(i, found);
	do
	:: !found -> break
	:: else ->
		begin(i, s);
#ifdef BAD_COVER
		cover++;
		served > 0;
#endif
#ifdef BAD_DRAIN_WAITS_FOR_FAULTS
		atomic {
			if
			:: iv[i].nr_active > 0 -> iv[i].nr_active++; counted = true
			:: else
			fi
		};
#endif
#ifdef ADD
		mmap_read_lock();
		fault(me, f, cur, ok);
		mmap_read_unlock();
#else
		fault(me, f, cur, ok);
#endif
#ifdef BAD_DRAIN_WAITS_FOR_FAULTS
		d_step {
			if
			:: counted -> iv[i].nr_active--; counted = false
			:: else
			fi
		};
#endif
#ifdef BAD_COVER
		cover--;
#endif
#ifdef BAD_CHECK_OUTSIDE
		if
		:: CHANGED(i, s) -> goto again
		:: else
		fi;
#endif
		enter(i, me, entered);
		if
		:: !entered -> break
		:: else
		fi;
		if
#ifndef BAD_CHECK_OUTSIDE
		:: CHANGED(i, s) -> leave(i)
#endif
		:: else ->
			inside(i, f);
			leave(i);
			break
		fi;
#ifdef BAD_CHECK_OUTSIDE
again:		skip;
#endif
		d_step { s = 0; f = 0 }
	od;
	if
	:: found -> put_mm()
	:: else
	fi
}

inline add_mover(i, me, entered) {
	enter(i, me, entered);
	if
	:: entered ->
		d_step {
			mover_changed[me] = false;
			mover_iv[me] = i;
			mover_on[me] = true
		}
		leave(i)
	:: else
	fi
}

inline del_mover(me) {
	mover_on[me] = false
}

/* migrate_vma_setup() to migrate_vma_finalize(), by hmm_section_migration_begin(). */
inline migrate(me, from, to, held, cur, ok) {
	held = false;
	inv_start(MIGRATE, me, true, cur, ok);
	atomic {
		if
		:: pte != 0 && pte != MIGRATION_ENTRY && !pte_exclusive && folio_lock == 0 ->
			from = pte;
			pte = MIGRATION_ENTRY;
			held = true
		:: else
		fi
	}
	inv_end();
	if
	:: held ->
		atomic { alloc_frame(to) }
		atomic {
			if
			:: pte == MIGRATION_ENTRY -> pte = to
			:: else -> held = false
			fi;
			free_frame(from);
			if
			:: held
			:: else -> free_frame(to)
			fi
		}
	:: else
	fi
}

/* A section with migrate_to: one attempt; when it fails, as any section. */
proctype section_migrate(byte me; byte i) {
	byte cur, from, to, t, s;
	bool found, entered, held, ok;

	look_up(i, found);
	if
	:: !found -> goto out
	:: else
	fi;
	add_mover(i, me, entered);
	if
	:: !entered -> goto out
	:: else
	fi;
	begin(i, s);
	migrate(me, from, to, held, cur, ok);
	enter(i, me, entered);
	del_mover(me);
	if
	:: entered && held && !mover_changed[me] -> inside(i, to)
	:: else
	fi;
	if
	:: entered -> leave(i)
	:: else
	fi;
out:	if
	:: found -> put_mm()
	:: else
	fi
}

/* make_device_exclusive(): the folio is locked if it succeeds. */
inline make_exclusive(i, me, f, taken, cur, ok) {
	fault(me, f, cur, ok);
	atomic { folio_lock == 0 -> folio_lock = me }
	taken = false;
	if
	:: pte == f && !pte_exclusive ->
		inv_start(EXCLUSIVE, me, true, cur, ok);
		d_step {
			if
			:: pte == f ->
				pte_exclusive = true;
				exclusive_iv = i;
				taken = true
			:: else
			fi
		}
		inv_end()
	:: else
	fi;
	if
	:: !taken -> folio_lock = 0
	:: else
	fi
}

/* HMM_ACCESS_EXCLUSIVE: hmm_section_exclusive_begin() in place of a walk. */
proctype section_exclusive(byte me; byte i) {
	byte s, f, cur, t;
	bool found, entered, taken, ok;

	look_up(i, found);
	do
	:: !found -> break
	:: else ->
		begin(i, s);
		fault(me, f, cur, ok);
		begin(i, s);
		add_mover(i, me, entered);
		if
		:: !entered -> break
		:: else
		fi;
		make_exclusive(i, me, f, taken, cur, ok);
		del_mover(me);
		if
		:: !taken -> goto again
		:: else
		fi;
		enter(i, me, entered);
		if
		:: !entered -> folio_lock = 0; break
		:: else
		fi;
		if
		:: CHANGED(i, s) -> leave(i); folio_lock = 0
		:: else ->
			d_step {
				assert(pte == f && pte_exclusive);
				assert(iv[1 - i].device != f)
			}
			inside(i, f);
			leave(i);
			folio_lock = 0;
			break
		fi;
again:		skip; d_step { s = 0; f = 0; taken = false }
	od;
	if
	:: found -> put_mm()
	:: else
	fi
}

/* The CPU unmaps the page and frees it: munmap(), reclaim, the OOM reaper. */
proctype cpu(byte me) {
	byte cur, old, t, n;
	bool ok, may_block;

	do
	:: n == INVALIDATIONS -> break
	:: else ->
		n++;
		if
		:: may_block = true
#ifdef NONBLOCKING
		:: may_block = false
#endif
		fi;
		inv_start(CLEAR, me, may_block, cur, ok);
		if
		:: ok ->
			atomic {
				old = pte;
				pte = 0;
				pte_exclusive = false
			}
			free_frame(old)
		:: else
		fi;
#ifdef BAD_RETURNS_BETWEEN_PASSES
		finish_pass(me, cur);
#endif
		inv_end();
		d_step { old = 0; ok = false; may_block = false }
	od
}

/* hmm_interval_claim() */
inline claim(i, mine) {
	atomic {
#ifdef BAD_ENDED_TWICE
		mine = iv[i].listed;
#else
		mine = iv[i].listed && !iv[i].ending;
#endif
		iv[i].ending = true
	}
}

/* hmm_interval_unlist(): erases what the tree has at the address */
inline unlist(i) {
#ifdef ADD
	d_step {
		if
		:: ranges != NONE -> iv[ranges].listed = false
		:: else
		fi;
		ranges = NONE;
		iv[i].listed = false
	}
#else
	iv[i].listed = false
#endif
}

/* hmm_interval_end(), by what has claimed it */
inline interval_end(i, me) {
#ifdef BAD_UNLIST_FIRST
	unlist(i);
#endif
#ifdef BAD_UNSUBSCRIBE_FIRST
	atomic { inv_active == 0 -> iv[i].subscribed = false }
#endif
	/* kill */
	update_lock(i, me);
	iv[i].dead = true;
	forget(i);
	update_unlock(i);
	/* drain */
	atomic { iv[i].nr_active > 0 -> iv[i].nr_active-- }
	iv[i].nr_active == 0;
	/* unsubscribe: mmu_interval_notifier_remove() */
#ifdef BAD_REMOVED_BETWEEN_PASSES
	iv[i].subscribed = false;
#else
	atomic { inv_active == 0 -> iv[i].subscribed = false }
#endif
#ifdef PASSES
	/* detach */
	iv[i].range = false;
#endif
#ifndef BAD_UNLIST_FIRST
	unlist(i)
#endif
}

proctype range_remove(byte me; byte i) {
	bool mine;

	claim(i, mine);
	if
	:: mine ->
		interval_end(i, me);
		/* The driver may free everything that the range needed. */
		atomic { assert(iv[i].lock == 0); iv[i].lock_gone = true }
		assert(iv[DEV(i)].device == 0)
	:: else
	fi
}

#ifdef PASSES
inline synchronize_ends() {
	if
	:: ends == 1 -> ends == 2
	:: else
	fi
}

/* hmm_mirror_synchronize() */
inline synchronize() {
#ifdef BAD_SYNCHRONIZE_WITH_ENDS_FIRST
	synchronize_ends();
#endif
	/* flush_workqueue() */
#ifndef BAD_SYNCHRONIZE_IGNORES_WORK
	!work_pending && !work_running;
#endif
#if !defined(BAD_SYNCHRONIZE_IGNORES_ENDS) && !defined(BAD_SYNCHRONIZE_WITH_ENDS_FIRST)
	synchronize_ends();
#endif
	skip
}

/*
 * hmm_mirror_range_remove_deferred(), and then the driver frees the range: at once if it
 * has held the update lock, otherwise after hmm_mirror_synchronize(), as it does the lock.
 */
proctype range_remove_deferred(byte me; byte i) {
	bool mine;

#ifndef UNLOCKED
	update_lock(i, me);
#endif
	if
	/* hmm_mirror_range_interval() */
	:: iv[i].range ->
#ifdef BAD_RANGE_FREED_WITHOUT_THE_LOCK
		update_unlock(i);
#endif
		/* hmm_interval_detach() */
		iv[i].range = false;
		claim(i, mine);
		if
		/* hmm_interval_end_deferred() */
		:: mine ->
#ifdef BAD_UNLISTED_AT_ONCE
			unlist(i);
#endif
			d_step { iv[i].deferred = true; iv[i].dead = true };
			removed = true;
			work_pending = true
		:: else
		fi
	:: else
#ifdef BAD_RANGE_FREED_WITHOUT_THE_LOCK
		; update_unlock(i)
#endif
	fi;
#if !defined(UNLOCKED) || defined(BAD_RANGE_FREED_BEFORE_SYNCHRONIZE)
	iv[i].range_freed = true;
#endif
#if !defined(UNLOCKED) && !defined(BAD_RANGE_FREED_WITHOUT_THE_LOCK)
	update_unlock(i);
#endif
#ifndef BAD_LOCK_FREED_AT_ONCE
	synchronize();
	d_step {
#ifndef ADD
		assert(iv[DEV(i)].device == 0 && iv[DEV(i)].tlb == 0 && iv[DEV(i)].dma == 0);
#endif
		assert(iv[i].lock == 0)
	}
#endif
	d_step { iv[i].lock_gone = true; iv[i].range_freed = true };
	remover_ended = true
}

/* hmm_mirror_state_work(): hmm_mirror_state_end_removed(). */
proctype state_work(byte me) {
	bool taken;

end:	atomic { work_pending -> work_pending = false; work_running = true };
	/* The end of the mirror may have taken it. */
	d_step { taken = removed; removed = false };
	if
	:: taken -> interval_end(A, me)
	:: else
	fi;
	work_running = false;
	goto end
}
#endif

#ifdef ADD
/* hmm_mirror_range_add() of B, under the mmap lock; then a section on it. */
proctype range_add(byte me) {
#ifdef BAD_ADDED_UNDER_THE_UPDATE_LOCK
	bool locked;
#endif

	mmap_write_lock();
#ifdef BAD_ADDED_UNDER_THE_UPDATE_LOCK
	/* That of A, unless the driver has freed it. */
	if
	:: atomic { iv[A].lock == 0 && !iv[A].lock_gone -> iv[A].lock = me }; locked = true
	:: iv[A].lock_gone
	fi;
#endif
	/* hmm_interval_reserve() */
	do
	:: atomic { ranges == NONE -> ranges = B; break }
	:: atomic { ranges != NONE && !iv[ranges].deferred -> goto out } /* -EEXIST */
	:: atomic { ranges != NONE && iv[ranges].deferred -> skip };
#ifdef BAD_ADDED_WHILE_LISTED
		ranges = B;
		break
#else
		/* HMM_INTERVAL_UNLISTED */
		!iv[A].listed
#endif
	od;
	/* mmu_interval_notifier_insert(), and hmm_interval.added */
	atomic {
		if
		:: inv_seq % 2 == 1 -> subscribing = true; iv[B].seq = inv_seq
		:: else -> iv[B].subscribed = true; iv[B].seq = inv_seq - 1
		fi;
		iv[B].listed = true
	};
	run section(2, B);
out:
#ifdef BAD_ADDED_UNDER_THE_UPDATE_LOCK
	if
	:: locked -> update_unlock(A)
	:: else
	fi;
#endif
	mmap_write_unlock()
}
#endif

#ifdef PASSES
/* hmm_mirror_exit() */
proctype mirror_exit(byte me) {
	bool mine;

	/* flush_work() */
	!work_pending && !work_running;
#ifndef BAD_LOST_CLAIM_NOT_WAITED_FOR
	/* srcu_read_lock() */
	ends = 1;
#endif
#ifdef TWO
	claim(B, mine);
	if
	:: mine -> interval_end(B, me)
	:: else
	fi;
#endif
	claim(A, mine);
	do
	:: mine -> interval_end(A, me); mine = false
	:: else ->
#ifdef BAD_LOST_CLAIM_NOT_WAITED_FOR
		ends = 1;
#endif
#ifdef BAD_LIST_TAKEN_BY_NO_READER
		ends = 2;
#endif
#ifdef BAD_DEFERRED_NOT_WAITED_FOR
		break;
#endif
		/* hmm_mirror_state_wait() */
		if
		:: d_step { removed -> removed = false; mine = true }
		:: !iv[A].listed && !iv[B].listed -> break
		fi
	od;
	state_release();
	/* srcu_read_unlock() */
	ends = 2;
#ifdef EXIT_DEFERRED
	remover_ended;
#endif
	d_step { iv[A].lock_gone = true; iv[B].lock_gone = true }
}
#else
/* hmm_mirror_exit(), with A and B as two intervals of one mirror. */
proctype mirror_exit(byte me) {
	bool mine;

#ifdef BAD_RELEASE_DURING_CALLBACK
	state_release();
#endif
	claim(A, mine);
	if
	:: mine -> interval_end(A, me)
	:: else
	fi;
#ifdef TWO
	claim(B, mine);
	if
	:: mine -> interval_end(B, me)
	:: else
	fi;
#endif
	/* hmm_mirror_state_wait() */
	!iv[A].listed && !iv[B].listed;
	state_release();
	d_step { iv[A].lock_gone = true; iv[B].lock_gone = true }
}
#endif

/* exit_mmap(): release first, then the pages go, which is reported again. */
proctype process_exit(byte me) {
	byte cur, old, t;
	bool ok;

	mm_users--;
	mm_users == 0;
	inv_start(RELEASE, me, true, cur, ok);
#ifndef PASSES
	state_release();
#endif
	inv_end();
	inv_start(CLEAR, me, true, cur, ok);
	d_step { old = pte; pte = 0; pte_exclusive = false }
	free_frame(old);
	inv_end()
}

/* User space that supplies a page, after it had a range added. */
proctype server() {
#ifdef BAD_COVER
	/* down_write(&mirror->cover) in hmm_mirror_range_add() */
	cover == 0;
#endif
	served = 1
}

init {
	atomic {
		pte = 1;
		in_use[1] = true;
		iv[A].subscribed = true;
		iv[A].listed = true;
		iv[A].nr_active = 1;
		iv[A].seq = 1;
#ifdef TWO
		iv[B].subscribed = true;
		iv[B].listed = true;
#endif
		iv[B].nr_active = 1;
		iv[B].seq = 1;
		valid[A] = true;
		valid[B] = true;
#ifdef PASSES
		iv[A].range = true;
		iv[B].range = true;
#endif
#ifdef REMOVE_DEFERRED
		run cpu(1);
		run section(3, A);
		run range_remove_deferred(4, A);
		run state_work(5);
#endif
#ifdef ADD
		ranges = A;
		run cpu(1);
		run section(3, A);
		run range_remove_deferred(4, A);
		run state_work(5);
		run range_add(6);
#endif
#ifdef EXIT_DEFERRED
		run cpu(1);
		run range_remove_deferred(4, A);
		run state_work(5);
		run mirror_exit(6);
#endif
#ifdef FAULT
		run cpu(1);
		run section(3, A);
		run section(4, A);
#endif
#ifdef FAULT_OVERLAP
		run cpu(1);
		run cpu(2);
		run section(3, A);
#endif
#ifdef REMOVE
		run cpu(1);
		run section(3, A);
		run section(4, A);
		run range_remove(5, A);
#endif
#ifdef MOVE
		run cpu(1);
		run section_migrate(3, A);
		run section(4, A);
#endif
#ifdef MOVE_BOTH
		run section_migrate(3, A);
		run section_migrate(4, A);
#endif
#ifdef MOVE_REMOVE
		run section_migrate(3, A);
		run range_remove(5, A);
#endif
#ifdef TAKE
		run cpu(1);
		run section_exclusive(3, A);
		run section(4, B);
#endif
#ifdef TAKE_SAME
		run cpu(1);
		run section_exclusive(3, A);
		run section(4, A);
#endif
#ifdef TAKE_BOTH
		run section_exclusive(3, A);
		run section_exclusive(4, B);
#endif
#ifdef EXIT
#ifdef PASSES
		/* reclaim */
		run cpu(1);
#endif
		run section(3, A);
		run process_exit(4);
		run mirror_exit(5);
#endif
#ifdef EXIT_REMOVE
		run cpu(1);
		run section(3, A);
		run range_remove(4, A);
		run mirror_exit(5);
#endif
#ifdef SLOW
		run section(3, A);
		run server();
#endif
	}
}
