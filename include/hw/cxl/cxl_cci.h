/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Component Command Interface: command tables, dispatch, background operation
 * (CXL r3.2 8.2.9 and 9.19; return codes: Table 8-50; effects: Table 8-87)
 *
 * A CCI is one way to a component: a mailbox, an MCTP endpoint, a tunnel's
 * end.  Which commands stand behind it is data: rows of the command sets,
 * picked by the kind of the CCI when it is initialised.
 */
#ifndef CXL_CCI_H
#define CXL_CCI_H

#include "qemu/notify.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/qdev-core.h"
#include "hw/cxl/cxl_msg.h"

/* A command that the core knows: it must not change the log that it reads */
#define CXL_OP_GET_LOG              0x0401

/* Message sizes travel as a power of two, 256 bytes to 1 MiB (8.2.10.1.1) */
#define CXL_CCI_MIN_PAYLOAD_SHIFT   8
#define CXL_CCI_MAX_PAYLOAD_SHIFT   20
/* Bytes of a mailbox's payload unless a property says otherwise */
#define CXL_MAILBOX_PAYLOAD_DEFAULT (8 * KiB)

/* Kinds of CCI; a row says on which of them its command exists */
typedef enum CXLCCIKind {
    CXL_CCI_MAILBOX = 1 << 0,   /* primary mailbox of a memory device */
    CXL_CCI_FM      = 1 << 1,   /* out-of-band CCI: FM-owned LD, or an SLD's */
    CXL_CCI_LD      = 1 << 2,   /* one logical device, through a tunnel */
    CXL_CCI_SWITCH  = 1 << 3,   /* switch: mailbox function or MCTP */
    CXL_CCI_MHD     = 1 << 4,   /* LD pool of a multi-headed device */
} CXLCCIKind;

typedef struct CXLCCI CXLCCI;
typedef struct CXLCmd CXLCmd;
struct CXLCCIMsg;
struct CXLEventLogs;
struct CXLFaults;
struct CXLTimestamp;

/**
 * CXLCmdHandler - one command
 *
 * @in holds a payload that passed the row's length rule.  What @out holds is
 * sent only with CXL_RC_SUCCESS.  Answers CXL_RC_BG_STARTED by returning
 * cxl_cci_bg_start().
 */
typedef CXLRetCode CXLCmdHandler(CXLCCI *cci, CXLReader *in, CXLWriter *out);

/* How long a request may be; checked before the handler runs */
typedef enum CXLLenKind {
    CXL_LEN_IS_EXACT,       /* == min */
    CXL_LEN_IS_AT_LEAST,    /* >= min */
    CXL_LEN_IS_RANGE,       /* min <= length <= max */
    CXL_LEN_IS_LIST,        /* == min + record * count */
} CXLLenKind;

typedef struct CXLLenRule {
    uint8_t kind;
    uint8_t count_at;       /* LIST: offset of the little-endian count */
    uint8_t count_size;     /* LIST: its width, 1, 2 or 4 bytes */
    uint16_t min;
    uint16_t max;
    uint16_t record;
} CXLLenRule;

#define CXL_LEN(n)          { .kind = CXL_LEN_IS_EXACT, .min = (n) }
#define CXL_LEN_MIN(n)      { .kind = CXL_LEN_IS_AT_LEAST, .min = (n) }
#define CXL_LEN_RANGE(a, b) { .kind = CXL_LEN_IS_RANGE, .min = (a), .max = (b) }
#define CXL_LEN_LIST(head, rec, at, width) \
    { .kind = CXL_LEN_IS_LIST, .min = (head), .record = (rec), \
      .count_at = (at), .count_size = (width) }

/* Row flags */
#define CXL_CMD_BG      (1u << 0) /* may run in the background: 06 if one is */
#define CXL_CMD_MEDIA   (1u << 1) /* needs the media: 07 while it is disabled */
/*
 * Acts on the registers of a device as a host does, so that it may ring the
 * doorbell of the transport that the request came by, or reset it: the
 * transport runs the command from a bottom half of its own.
 */
#define CXL_CMD_IO      (1u << 2)
/*
 * Asks the owner of the dynamic capacity, who may be elsewhere: see
 * CXLCCIRemoteOps.
 */
#define CXL_CMD_POOL    (1u << 3)

/**
 * struct CXLCmd - one row of a command set's table
 * @opcode: command set in the high byte, command in the low byte
 * @effects: CXL_EFF_* word for the Command Effects Log
 * @where: CXL_CCI_* kinds on which the command exists
 * @flags: CXL_CMD_*
 * @len: request length rule
 * @name: the specification's name
 * @handler: called with the BQL held; does not block
 * @present: NULL, or tells whether this component offers the command
 * @bg_done: for CXL_CMD_BG: runs when the background operation ends, does
 *           the deferred work and gives the final code, or does a slice of it
 *           and gives that of cxl_cci_bg_continue(); like @handler, it takes
 *           no more than ten milliseconds
 * @bg_abort: NULL, or undoes a background operation that 0005h or a reset ends
 * @bg_reset: NULL, or does in place of @bg_abort what a reset needs
 */
struct CXLCmd {
    uint16_t opcode;
    uint16_t effects;
    uint8_t where;
    uint8_t flags;
    CXLLenRule len;
    const char *name;
    CXLCmdHandler *handler;
    bool (*present)(const CXLCCI *cci);
    CXLRetCode (*bg_done)(CXLCCI *cci);
    void (*bg_abort)(CXLCCI *cci);
    void (*bg_reset)(CXLCCI *cci);
};

/** struct CXLCmdSet - rows of one set of the specification, ascending */
typedef struct CXLCmdSet {
    const char *name;
    const CXLCmd *cmds;
    unsigned nr_cmds;
} CXLCmdSet;

#define CXL_CMD_SET(title, rows) \
    { .name = (title), .cmds = (rows), .nr_cmds = ARRAY_SIZE(rows) }

/** cxl_cmd_sets - all sets of this build, NULL terminated */
extern const CXLCmdSet *const cxl_cmd_sets[];

/* Conditions of 0104h..0106h: a bit for each event log, by its number, and */
#define CXL_NOTICE_BACKGROUND   (1u << 15)  /* an operation ended */

/**
 * struct CXLCCITransport - a transport that can send a request of its own
 * @policy: conditions (0104h) that the requester wants to be told of
 * @set_policy: takes a new one, and who asks for it is told from now on
 */
typedef struct CXLCCITransport CXLCCITransport;
struct CXLCCITransport {
    uint16_t policy;
    void (*set_policy)(CXLCCITransport *transport, uint16_t policy);
};

/* Bytes that 5501h has for each head */
#define CXL_HEAD_LINK   9

/**
 * struct CXLHeadInfo - a head that is there, as a Fabric Manager sees it
 * @volatile_size, @persistent_size: static capacity of its logical device
 * @link: its PCIe link as 5501h has it
 */
typedef struct CXLHeadInfo {
    uint64_t volatile_size;
    uint64_t persistent_size;
    uint8_t link[CXL_HEAD_LINK];
} CXLHeadInfo;

/**
 * struct CXLHeads - heads of a multi-headed device, for the CCI of its LD pool
 * @n: so many, 1 to 256; head K has logical device K
 * @vendor, @device: that the component identifies itself by
 * @serial: the same
 * @ld: CCI of the logical device that a head has, whose owner is the head's PCI
 *      function; NULL while the head is not there
 * @info: where heads are elsewhere, what is known of one; false while it is not
 *        there.  NULL: @ld knows
 * @tunnel: where heads are elsewhere, begins a request to the logical device of
 *          one, as @ld does.  It has @payload, borrowed, and its answer at most
 *          @room bytes.  After CXL_RC_SUCCESS, which is not for the requester,
 *          the owner answers the tunnel later, with cxl_tunnel_put_answer();
 *          other codes are the tunnel's.  NULL: no tunnel leads there
 */
typedef struct CXLHeads CXLHeads;
struct CXLHeads {
    uint16_t n;
    uint16_t vendor;
    uint16_t device;
    uint64_t serial;
    CXLCCI *(*ld)(const CXLHeads *heads, unsigned head);
    bool (*info)(const CXLHeads *heads, unsigned head, CXLHeadInfo *info);
    CXLRetCode (*tunnel)(const CXLHeads *heads, unsigned head,
                         const struct CXLCCIMsg *request,
                         const uint8_t *payload, size_t room);
};

/** cxl_head_info() - of a head's CCI whose PCI function is realized */
void cxl_head_info(const CXLCCI *ld, CXLHeadInfo *info);

/** CXLCCIAnswered - as cxl_cci_process() answers, but later */
typedef void CXLCCIAnswered(void *opaque, CXLRetCode rc, const void *out,
                            size_t out_len);

/**
 * struct CXLCCIRemoteOps - another process runs commands with CXL_CMD_POOL
 * @submit: asks it; @in is copied, the answer has at most @room bytes
 * @cancel: nobody waits for answers any more to what was submitted
 */
typedef struct CXLCCIRemoteOps {
    void (*submit)(void *opaque, uint16_t opcode, const void *in, size_t len,
                   size_t room, CXLCCIAnswered *done, void *done_opaque);
    void (*cancel)(void *opaque);
} CXLCCIRemoteOps;

/** struct CXLCCIBackground - the one background operation of a CCI */
typedef struct CXLCCIBackground {
    uint16_t opcode;        /* last one started; stays after it ended */
    uint16_t ret_code;      /* valid once it ended */
    uint16_t vendor_status;
    uint8_t percent;        /* as of the end; see cxl_cci_bg_percent() */
    bool running;
    int64_t started_ns;     /* virtual clock */
    int64_t duration_ns;    /* as announced; it may take longer */
    int64_t due_ns;         /* after the start: bg_done runs again */
    QEMUTimer *timer;
} CXLCCIBackground;

/**
 * struct CXLCCI - one command interface
 * @kind: decides which rows exist here
 * @owner: the component
 * @memdev: the memory device, NULL if the component is none
 * @dc: its dynamic capacity, NULL if there is none
 * @lds: CCIs of its @nr_lds logical devices, which a tunnel leads to
 * @heads: of a multi-headed device, in the CCI of its LD pool
 * @pool: that CCI, in a head's out-of-band CCI
 * @remote: who runs what has CXL_CMD_POOL, NULL if this CCI does
 * @remote_opaque: for @remote
 * @fm_sets: a mailbox answers the Fabric Manager's commands, too
 * @host_id: LD whose view this CCI gives (0 on single-logical devices)
 * @payload_max: bytes of payload, request and response
 * @response_limit: log2 of the bound that 0004h set; 0 = none
 * @cmds: rows on this CCI, by ascending opcode
 * @events: event logs read by 0100h here, NULL if none
 * @clock: the component's timestamp, NULL if none
 * @bg_time_scale: percent of their time that background operations take; NULL:
 *                 all of it
 * @bg_notify: NULL, or called when a background operation has ended; a register
 *             block takes it over (cxl_devregs_init())
 * @bg_opaque: for @bg_notify
 * @bg_watchers: told the same as @bg_notify; their data is the CCI
 * @transport: how the request that is running came, NULL if nothing can be sent
 *        that way, as through a mailbox or a tunnel
 * @current: row whose handler is running
 * @faults: what is armed to change answers, NULL if nothing is
 * @hold_told: the user knows that the component is held in reset; a reset that
 *             begins is another one
 * @sw: in the CCI that an upstream port embeds: the switch, while it has CCIs
 *
 * Not a QOM object: it is embedded by value where base files expect it.  The
 * owner starts from zeroes and sets @memdev to @fm_sets, @host_id, @events,
 * @clock and @bg_time_scale before cxl_cci_init(), which leaves them alone.  A
 * CCI without @events has no event commands, one without @clock no timestamp
 * commands.
 */
struct CXLCCI {
    CXLCCIKind kind;
    DeviceState *owner;
    struct CXLMemDev *memdev;
    struct CXLDynCap *dc;
    CXLCCI *lds;
    uint8_t nr_lds;
    const CXLHeads *heads;
    CXLCCI *pool;
    const CXLCCIRemoteOps *remote;
    void *remote_opaque;
    bool fm_sets;
    uint16_t host_id;
    uint32_t payload_max;
    uint8_t response_limit;
    GPtrArray *cmds;
    struct CXLEventLogs *events;
    struct CXLTimestamp *clock;
    const uint8_t *bg_time_scale;
    void (*bg_notify)(CXLCCI *cci);
    void *bg_opaque;
    NotifierList bg_watchers;
    CXLCCITransport *transport;
    const CXLCmd *current;
    struct CXLSwitch *sw;
    struct CXLFaults *faults;
    bool hold_told;
    CXLCCIBackground bg;
};

/**
 * cxl_cci_init() - collect the rows of this CCI
 * @payload_max: bytes, at least 256 (the smallest the specification allows)
 *
 * The owner's models must exist: rows ask them in @present.  Free with
 * cxl_cci_destroy(); both are safe to repeat.  Neither touches the fields that
 * the owner sets.
 */
void cxl_cci_init(CXLCCI *cci, CXLCCIKind kind, DeviceState *owner,
                  uint32_t payload_max);
void cxl_cci_destroy(CXLCCI *cci);
/** cxl_cci_reset() - drop the background operation and the response limit. */
void cxl_cci_reset(CXLCCI *cci);
/** cxl_cci_forget() - the same, but nothing of the operation is undone. */
void cxl_cci_forget(CXLCCI *cci);

/**
 * cxl_cci_process() - run one request
 * @in: request payload; must not overlap @out
 * @out: response buffer of @out_size bytes, zeroed by this function
 * @out_len: set to the bytes of the response, 0 on any error
 *
 * The one entry for every transport.  Order of checks: opcode unknown here 03;
 * length 16; background busy 06; media disabled 07; then the handler's.
 * A response never exceeds @out_size, the CCI's payload_max or its limit.
 */
CXLRetCode cxl_cci_process(CXLCCI *cci, uint16_t opcode,
                           const void *in, size_t in_len,
                           void *out, size_t out_size, size_t *out_len);

/** cxl_cci_is_io() - is @opcode a command here with CXL_CMD_IO? */
bool cxl_cci_is_io(const CXLCCI *cci, uint16_t opcode);

/** cxl_cci_is_remote() - is @opcode one here that another process runs? */
bool cxl_cci_is_remote(const CXLCCI *cci, uint16_t opcode);

/** cxl_cci_media_disabled() - do commands with CXL_CMD_MEDIA answer 07? */
bool cxl_cci_media_disabled(const CXLCCI *cci);

const CXLCmd *cxl_cci_find(const CXLCCI *cci, uint16_t opcode);

/** cxl_cci_bg_ns() - virtual time that @ms of background work take here. */
int64_t cxl_cci_bg_ns(const CXLCCI *cci, uint64_t ms);
/**
 * cxl_cci_bg_start() - the running handler's work goes on in the background
 * @duration_ms: time until the row's bg_done runs, before it is scaled; 0 is
 *               allowed
 * Return: CXL_RC_BG_STARTED, for the handler to return
 */
CXLRetCode cxl_cci_bg_start(CXLCCI *cci, uint64_t duration_ms);
/**
 * cxl_cci_bg_start_slices() - the same, for work that must not be done at once
 * @duration_ms: virtual time that it is expected to take; progress goes by it
 * @first_ms: until bg_done runs and does the first slice
 */
CXLRetCode cxl_cci_bg_start_slices(CXLCCI *cci, uint64_t duration_ms,
                                   uint64_t first_ms);
/**
 * cxl_cci_bg_continue() - a row's bg_done is not done yet
 * @more_ms: time until it runs again, before it is scaled, at least 1; the
 *           whole operation takes no more than a day
 *
 * Progress never goes back: it shows 99 when the time that was announced is
 * over.
 *
 * Return: CXL_RC_BG_STARTED, for bg_done to return
 */
CXLRetCode cxl_cci_bg_continue(CXLCCI *cci, uint64_t more_ms);
/** cxl_cci_bg_percent() - 0..100 of the last background operation. */
unsigned cxl_cci_bg_percent(const CXLCCI *cci);
/**
 * cxl_cci_bg_abort() - end the background operation as 0005h asks
 * Return: CXL_RC_SUCCESS: it ended with CXL_RC_ABORTED, or it is so close to
 * its end that it completes, or there is none; CXL_RC_NO_BG_ABORT: its row
 * lacks CXL_EFF_ABORTABLE
 */
CXLRetCode cxl_cci_bg_abort(CXLCCI *cci);

/** cxl_cci_cel_size() - bytes of this CCI's Command Effects Log. */
size_t cxl_cci_cel_size(const CXLCCI *cci);
/** cxl_cci_cel_read() - @len bytes from @offset, which lie inside the log. */
void cxl_cci_cel_read(const CXLCCI *cci, size_t offset, size_t len,
                      CXLWriter *out);
/** cxl_cci_kind_name() - for traces and tables; never NULL. */
const char *cxl_cci_kind_name(CXLCCIKind kind);

extern const struct VMStateDescription vmstate_cxl_cci;

#endif /* CXL_CCI_H */
