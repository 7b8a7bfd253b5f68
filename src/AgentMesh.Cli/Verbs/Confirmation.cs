using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>Asks a person before what cannot be taken back. Nothing is taken for a yes because nobody is looking.</summary>
internal static class Confirmation
{
    public const string Word = "YES";

    /// <param name="given">The option --yes.</param>
    /// <exception cref="MeshException">AM0141: it was not confirmed.</exception>
    public static void Need(Session session, string question, bool given)
    {
        if (given)
        {
            return;
        }

        if (Console.IsInputRedirected)
        {
            throw NotConfirmed("there is no terminal to ask at", "repeat it with --yes");
        }

        session.Terminal.Error.Write($"{question}\nType {Word} to go on: ");
        if (Console.In.ReadLine()?.Trim() != Word)
        {
            throw NotConfirmed("nothing was done", $"repeat it and type {Word}, in capital letters");
        }
    }

    private static MeshException NotConfirmed(string why, string next) => new(CliErrors.NotConfirmed, $"this was not confirmed: {why}", next);
}
