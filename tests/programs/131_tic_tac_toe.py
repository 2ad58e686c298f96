"""Play perfect noughts and crosses with minimax and alpha-beta pruning."""

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]

nodes = 0


def winner(board):
    for a, b, c in LINES:
        if board[a] == board[b] == board[c] != ".":
            return board[a]
    return None


def moves(board):
    return [i for i, cell in enumerate(board) if cell == "."]


def play(board, i, who):
    return board[:i] + who + board[i + 1:]


def minimax(board, who, alpha=-2, beta=2):
    """Value for X with perfect play, and the move that leads to it."""
    global nodes
    nodes += 1
    if won := winner(board):
        return (1 if won == "X" else -1), None
    if "." not in board:
        return 0, None
    best_move = None
    for move in moves(board):
        value, _ = minimax(play(board, move, who), "O" if who == "X" else "X", alpha, beta)
        if who == "X" and value > alpha:
            alpha, best_move = value, move
        elif who == "O" and value < beta:
            beta, best_move = value, move
        if alpha >= beta:
            break
    return (alpha if who == "X" else beta), best_move


def show(board):
    return [" ".join(board[i:i + 3]) for i in range(0, 9, 3)]


def run(inputs):
    answers = []
    for board in inputs["boards"]:
        who = "X" if board.count("X") == board.count("O") else "O"
        value, move = minimax(board, who)
        answers.append({"to_move": who, "value": value, "best": move, "after": show(play(board, move, who)) if move is not None else None})
    board, who = inputs["boards"][0], "X"
    while winner(board) is None and moves(board):
        _, move = minimax(board, who)
        board = play(board, move, who)
        who = {"X": "O", "O": "X"}[who]
    return {"answers": answers, "self_play": winner(board) or "draw", "searched": nodes > 100}

# inputs: {"boards": ["XO..X....", "XX.OO....", "X...O...X", "XOXOXOX.."]}
# expect: {"answers": [{"to_move": "O", "value": 1, "best": 2, "after": ["X O O", ". X .", ". . ."]}, {"to_move": "X", "value": 1, "best": 2, "after": ["X X X", "O O .", ". . ."]}, {"to_move": "O", "value": 0, "best": 1, "after": ["X O .", ". O .", ". . X"]}, {"to_move": "O", "value": 1, "best": null, "after": null}], "self_play": "X", "searched": true}
