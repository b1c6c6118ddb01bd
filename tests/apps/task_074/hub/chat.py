"""Conversations, to whoever is a member of them."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from hub.current import User
from hub.database import Database, Row, row, rows

api = APIRouter(prefix="/chat", tags=["chat"])
MINE = """
SELECT c.id, c.title, c.created_at,
  (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS messages
FROM conversations c JOIN conversation_members b ON b.conversation_id = c.id
WHERE b.user_id = :user ORDER BY c.id LIMIT 100
"""
IS_MEMBER = """
SELECT 1 AS there FROM conversation_members
WHERE conversation_id = :conversation AND user_id = :user
"""
SAID = """
SELECT m.id, u.username AS sender, m.body, m.sent_at
FROM messages m LEFT JOIN users u ON u.id = m.sender_id
WHERE m.conversation_id = :conversation ORDER BY m.sent_at, m.id LIMIT 100
"""
SAY = """
INSERT INTO messages (conversation_id, sender_id, body) VALUES (:conversation, :user, :body)
RETURNING id, sent_at
"""


class Message(BaseModel):
    body: str = Field(min_length=1, max_length=4000)


@api.get("/conversations")
async def conversations(user: User, database: Database) -> list[Row]:
    return await rows(database, MINE, user=user["id"])


@api.get("/conversations/{conversation}/messages")
async def messages(conversation: int, user: User, database: Database) -> list[Row]:
    await _refuse_others(conversation, user, database)
    return await rows(database, SAID, conversation=conversation)


@api.post("/conversations/{conversation}/messages", status_code=201)
async def say(conversation: int, asked: Message, user: User, database: Database) -> Row:
    await _refuse_others(conversation, user, database)
    [said] = await rows(database, SAY, conversation=conversation, user=user["id"], body=asked.body)
    return said


async def _refuse_others(conversation: int, user: Row, database: Database) -> None:
    """A conversation of others is not told from one that is not there."""
    if not await row(database, IS_MEMBER, conversation=conversation, user=user["id"]):
        raise HTTPException(404, "There is no such conversation")
