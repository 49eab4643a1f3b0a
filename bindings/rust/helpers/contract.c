// SPDX-License-Identifier: GPL-2.0

#include "contract_delayed_work.c"
#include "contract_dma_pool.c"
#include "contract_irq_work.c"
#include "contract_older.c"
#include "contract_percpu_rwsem.c"
#include "contract_pid.c"
#include "contract_rwsem.c"
#include "contract_seqcount.c"
#include "contract_srcu.c"
#include "contract_timer.c"
#include "contract_wait.c"
#include "contract_work.c"
