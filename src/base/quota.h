/* quota.h: how much of the processor a container leaves to this process. */
#ifndef ONRI_QUOTA_H
#define ONRI_QUOTA_H

/* Whole cores that the control groups of this process may keep busy, at least 1; 0: there is no such limit, or none
 * that can be read. root: in front of /proc and /sys, "" but in tests. */
long onri_quota_of_cores(const char *root);

#endif
