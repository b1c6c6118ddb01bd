"""Git repositories of a test's own: one that is fetched from, and a working tree of it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMED = ("-c", "user.name=x", "-c", "user.email=x@example.com")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *NAMED, "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Trees:
    """A repository `far`, and the working tree `here` that was cloned from it."""

    far: Path
    here: Path

    def commit(self, files: dict[str, str | None]) -> str:
        """Commit these files (None: removed) to the far repository; give the id."""
        for name, text in files.items():
            path = self.far / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.far, "add", "-A")
        git(self.far, "commit", "-q", "-m", "x")
        return git(self.far, "rev-parse", "HEAD")


def made(folder: Path, files: dict[str, str | None]) -> Trees:
    """Make both, with a first commit of these files."""
    trees = Trees(folder / "far", folder / "it's here")
    trees.far.mkdir()
    git(trees.far, "init", "-q", "-b", "main")
    trees.commit(files)
    subprocess.run(["git", "clone", "-q", trees.far, trees.here], check=True)
    return trees
