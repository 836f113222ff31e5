/* cli/interrupt.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <signal.h>
#include <string.h>

static volatile int stop;

static void note(int signal_number)
{
	(void)signal_number;
	stop = 1;
}

const volatile int *interrupt_catch(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = note;
	/* The handler is gone after its first run, so the second signal does what it always did: end the program. */
	action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &stop;
}
