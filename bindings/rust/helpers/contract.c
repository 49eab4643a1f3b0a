// SPDX-License-Identifier: GPL-2.0

#include "contract_irq_work.c"
#include "contract_pid.c"
#include "contract_rwsem.c"
#include "contract_seqcount.c"
