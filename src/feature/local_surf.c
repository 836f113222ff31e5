#include "feature/local_detect.h"
akin_status local_surf(struct local_job *job) { (void)job; return AKIN_OK; }
