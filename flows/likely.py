"""What a tracker's status most likely means: a proposal for a person to check, never used for judging."""

from __future__ import annotations

import difflib

from policies.issue import State, Word

# Names of statuses, in the languages trackers are often used in.
_NAMES = {
    State.OPEN: ("open", "to do", "new", "backlog", "reopened", "triage", "待办", "打开", "新建", "重新打开", "开放"),
    State.ACCEPTED: ("accepted", "confirmed", "acknowledged", "assigned", "已确认", "已接受"),
    State.IN_PROGRESS: ("in progress", "in review", "testing", "development", "处理中", "进行中", "正在进行"),
    State.WAITING_FOR_CUSTOMER: ("waiting for customer", "needs info", "pending", "feedback", "等待客户", "待反馈"),
    State.WAITING_FOR_THIRD_PARTY: ("waiting for vendor", "waiting for supplier", "blocked", "on hold", "等待供应商"),
    State.RESOLVED: ("resolved", "done", "fixed", "complete", "已解决", "完成"),
    State.VERIFIED: ("verified", "tested", "已验证"),
    State.CLOSED: ("closed", "已关闭", "关闭"),
    State.CANCELLED: ("cancelled", "canceled", "rejected", "duplicate", "won't do", "已取消", "已拒绝"),
}
_BY_NAME = {name: state for state, names in _NAMES.items() for name in names}
_BY_GROUP = {"new": State.OPEN, "indeterminate": State.IN_PROGRESS, "done": State.RESOLVED}


def state_of(status: Word) -> State:
    """By the exact name, else by the tracker's own group, else by the nearest name; open where nothing is near."""
    name = status.name.casefold()
    if (exact := _BY_NAME.get(name)) is not None:
        return exact
    if (near := difflib.get_close_matches(name, list(_BY_NAME), 1, 0.8)) != []:
        return _BY_NAME[near[0]]
    return _BY_GROUP.get(status.group, State.OPEN)
