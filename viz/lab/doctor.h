/*
 * `viz --doctor`: what this machine allows, tried and not guessed: a table of
 * yes and no, and one command for each no. As main's arm it prints.
 */
#ifndef VIZ_LAB_DOCTOR_H
#define VIZ_LAB_DOCTOR_H

/* Prints the table to stdout; the status for main: 0, also when something is
 * refused (that is what it tells), 2 when nothing could be tried. */
int doctor_run(void);

#endif
