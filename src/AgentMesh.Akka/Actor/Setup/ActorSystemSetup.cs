using System.Collections.Immutable;
using Akka.Util;

namespace Akka.Actor.Setup;

/// <summary>A setting that is code: part of an <see cref="ActorSystemSetup"/>.</summary>
public abstract class Setup
{
    public ActorSystemSetup And(Setup other) => ActorSystemSetup.Create(this, other);
}

/// <summary>What a system is made with beside its configuration; one setting of each class.</summary>
public sealed class ActorSystemSetup
{
    public static readonly ActorSystemSetup Empty = new(ImmutableDictionary<Type, Setup>.Empty);

    private readonly ImmutableDictionary<Type, Setup> _settings;

    private ActorSystemSetup(ImmutableDictionary<Type, Setup> settings) => _settings = settings;

    public static ActorSystemSetup Create(params Setup[] setup) =>
        new(Empty._settings.SetItems(setup.Select(s => KeyValuePair.Create(s.GetType(), s))));

    public Option<T> Get<T>()
        where T : Setup => _settings.TryGetValue(typeof(T), out Setup? found) ? new Option<T>((T)found) : Option<T>.None;

    /// <summary>Adds the setting, replacing one of the same class.</summary>
    public ActorSystemSetup WithSetup<T>(T setup)
        where T : Setup => new(_settings.SetItem(setup.GetType(), setup));

    public ActorSystemSetup And<T>(T setup)
        where T : Setup => WithSetup(setup);

    public override string ToString() => $"ActorSystemSetup({string.Join(", ", _settings.Keys.Select(k => k.Name))})";
}
