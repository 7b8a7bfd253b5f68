namespace AgentMesh.Workers.Input;

/// <param name="Grace">How long a program waits for who sends its input, when nobody is connected.</param>
public sealed record InputSettings(TimeSpan Grace)
{
    public static InputSettings Default { get; } = new(TimeSpan.FromSeconds(30));
}
