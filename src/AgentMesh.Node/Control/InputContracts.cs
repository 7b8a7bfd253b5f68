namespace AgentMesh.Node.Control;

/// <summary>The terminal that a program gets: what TERM says, and its size.</summary>
public sealed record TerminalView(string Name, int Columns, int Rows);

/// <summary>A text message of the WebSocket /v1/job/input, told apart by <paramref name="Type"/>; binary messages are the input itself.</summary>
/// <remarks>To the node: resize with columns and rows; end; detach. From the node: closed, when the program takes no more; detached, when it waits for the next client; problem.</remarks>
public sealed record InputMessage(string Type, int? Columns = null, int? Rows = null, ProblemView? Problem = null);
