/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody on the I2C bus who sends broken MCTP packets (DSP0236, DSP0237)
 */
#ifndef GUEST_MCTP_NOISE_H
#define GUEST_MCTP_NOISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * mctp_noise_start() - a process that sends until it is stopped
 * @adapter: number of the I2C adapter
 * @i2c, @eid: victim
 * @seed: of its choices
 * @impostor: some packets claim to be ours and may spoil real messages
 * Return: process id, or -1
 */
pid_t mctp_noise_start(int adapter, uint8_t i2c, uint8_t eid, uint64_t seed,
                       bool impostor);
/**
 * mctp_noise_stop() - end it
 * Return: number of packets that it sent, 0 if it came to harm
 */
unsigned mctp_noise_stop(pid_t pid);

#endif /* GUEST_MCTP_NOISE_H */
