#include "feature/local_detect.h"
akin_status local_orb(struct local_job *job) { (void)job; return AKIN_OK; }
