/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamp.h"

#include <time.h>

#define NANOSECONDS 1000000000ULL

uint64_t timestamp_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t) now.tv_sec * NANOSECONDS + (uint64_t) now.tv_nsec;
}

static char *timestamp_digits(char *at, unsigned value, unsigned width) {
        for (unsigned i = width; i > 0; i--, value /= 10)
                at[i - 1] = (char) ('0' + value % 10);
        return at + width;
}

void timestamp_format(uint64_t nanoseconds, char ret[static TIMESTAMP_MAX]) {
        time_t seconds = (time_t) (nanoseconds / NANOSECONDS);
        struct tm utc;
        (void) gmtime_r(&seconds, &utc);

        char *at = timestamp_digits(ret, (unsigned) utc.tm_year + 1900, 4);
        *at++ = '-';
        at = timestamp_digits(at, (unsigned) utc.tm_mon + 1, 2);
        *at++ = '-';
        at = timestamp_digits(at, (unsigned) utc.tm_mday, 2);
        *at++ = 'T';
        at = timestamp_digits(at, (unsigned) utc.tm_hour, 2);
        *at++ = ':';
        at = timestamp_digits(at, (unsigned) utc.tm_min, 2);
        *at++ = ':';
        at = timestamp_digits(at, (unsigned) utc.tm_sec, 2);

        unsigned fraction = (unsigned) (nanoseconds % NANOSECONDS);
        if (fraction > 0) {
                *at++ = '.';
                at = timestamp_digits(at, fraction, 9);
                while (at[-1] == '0')
                        at--;
        }
        *at++ = 'Z';
        *at = '\0';
}
