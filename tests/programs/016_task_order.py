"""Order tasks by their dependencies and lay them out in parallel waves."""

from graphlib import CycleError, TopologicalSorter


class Plan:
    def __init__(self, tasks):
        self._tasks = tasks
        self._graph = {name: set(task.get("after", [])) for name, task in tasks.items()}

    def waves(self):
        sorter = TopologicalSorter(self._graph)
        sorter.prepare()
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            yield ready
            sorter.done(*ready)

    def earliest_finish(self):
        finish = {}
        for wave in self.waves():
            for name in wave:
                start = max((finish[d] for d in self._graph[name]), default=0)
                finish[name] = start + self._tasks.get(name, {}).get("hours", 0)
        return finish

    def critical_path(self):
        finish = self.earliest_finish()
        name = max(finish, key=lambda n: (finish[n], n))
        path = [name]
        while deps := self._graph.get(name):
            name = max(sorted(deps), key=finish.__getitem__)
            path.insert(0, name)
        return path


def run(inputs):
    results = []
    for tasks in inputs["projects"]:
        plan = Plan(tasks)
        try:
            waves = list(plan.waves())
        except CycleError as error:
            cycle = error.args[1]
            results.append({"cycle": sorted(set(cycle))})
            continue
        results.append(
            {"waves": waves, "total_hours": max(plan.earliest_finish().values()), "critical": plan.critical_path()}
        )
    return {"projects": results}

# inputs: {"projects": [{"design": {"hours": 3}, "code": {"hours": 8, "after": ["design"]}, "test": {"hours": 4, "after": ["code", "data"]}, "data": {"hours": 2}, "docs": {"hours": 5, "after": ["design"]}, "ship": {"hours": 1, "after": ["test", "docs"]}}, {"a": {"after": ["b"]}, "b": {"after": ["c"]}, "c": {"after": ["a"]}}]}
# expect: {"projects": [{"waves": [["data", "design"], ["code", "docs"], ["test"], ["ship"]], "total_hours": 16, "critical": ["design", "code", "test", "ship"]}, {"cycle": ["a", "b", "c"]}]}
